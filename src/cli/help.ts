// Help texts, made from the table of commands.
import type { Command, Option } from './command.ts';

const EXIT_CODES = `Exit codes: 0 done, 1 the job or run did not succeed, 2 wrong usage, 3 refused, 4 not reachable or at fault itself`;

export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => title(command).length));
  const lines = commands.map((command) => `  ${title(command).padEnd(width)}  ${command.summary}`);
  return [
    'Usage: perdure <command> [options]',
    '',
    ...lines,
    '',
    'Each command tells more with --help, and prints JSON with --json. --version says which this is.',
    EXIT_CODES,
    '',
  ].join('\n');
}

export function commandHelp(command: Command): string {
  const flags = Object.entries(command.options).map(([name, option]) => [flag(name, option), option.about] as const);
  const width = Math.max(...flags.map(([text]) => text.length));
  const examples = command.examples.length > 0 ? ['', 'Examples:', ...command.examples.map((one) => `  ${one}`)] : [];
  return [
    `Usage: perdure ${title(command)} [options]`,
    '',
    command.summary,
    '',
    'Options:',
    ...flags.map(([text, about]) => `  ${text.padEnd(width)}  ${about}`),
    ...examples,
    '',
    EXIT_CODES,
    '',
  ].join('\n');
}

function title({ name, args }: Command): string {
  return args === '' ? name : `${name} ${args}`;
}

function flag(name: string, { short, type, value = 'VALUE' }: Option): string {
  return `${short ? `-${short}, ` : '    '}--${name}${type === 'string' ? ` ${value}` : ''}`;
}
