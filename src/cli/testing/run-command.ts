// Runs the command line in this process against a fake service and gathers what it prints.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import type { CliEnv } from '../env.ts';
import type { Io } from '../io.ts';
import { runCli } from '../run.ts';

export interface Ran {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface Surroundings {
  url?: string;
  env?: Partial<CliEnv>;
  tty?: boolean;
  stdin?: string;
  /** Called with each signal handler a command installs. */
  onHandler?: (signal: string, handler: () => void) => void;
}

export async function runCommand(argv: string[], surroundings: Surroundings = {}): Promise<Ran> {
  const { url = null, env, tty = false, stdin = '', onHandler } = surroundings;
  const written = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({ isTTY: tty, write: (text: string) => (written[name] += text) });
  const configFile = env?.configFile ?? join(await mkdtemp(join(tmpdir(), 'perdure-cli-')), 'config.json');
  const io: Io = {
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env: { url, token: null, profile: null, noColor: false, hasDatabase: false, ...env, configFile },
    stdin: Readable.from([Buffer.from(stdin)]),
    onSignal: (signal, handler) => {
      onHandler?.(signal, handler);
      return () => undefined;
    },
  };
  return { exitCode: await runCli(argv, io), ...written };
}

export async function tempFile(name: string, content: string): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'perdure-cli-')), name);
  await writeFile(file, content);
  return file;
}
