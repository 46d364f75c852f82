// Finds the command that was asked for and runs it.
import { version } from '../version.ts';
import { commands } from './commands.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { overview } from './help.ts';
import type { Io } from './io.ts';

export async function runCli(argv: string[], io: Io): Promise<ExitCode> {
  const [first = 'help', second = ''] = argv;
  const two = commands.find(({ name }) => name === `${first} ${second}`);
  if (two) return two.run(argv.slice(2), io);
  const one = commands.find(({ name }) => name === first);
  if (one) return one.run(argv.slice(1), io);

  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  if (['help', '--help', '-h'].includes(first)) {
    io.stdout.write(overview(commands));
    return EXIT.done;
  }
  if (group.length > 0 && ['', '--help', '-h'].includes(second)) {
    (second === '' ? io.stderr : io.stdout).write(overview(group));
    return second === '' ? EXIT.usage : EXIT.done;
  }
  if (['--version', '-V'].includes(first)) {
    io.stdout.write(`${version}\n`);
    return EXIT.done;
  }
  const unknown = group.length > 0 ? `${first} ${second}` : first;
  io.stderr.write(
    `perdure: There is no command "${unknown}".\nSee: perdure ${group.length > 0 ? `${first} --help` : 'help'}\n`,
  );
  return EXIT.usage;
}
