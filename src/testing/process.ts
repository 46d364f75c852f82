// Runs the built product as processes of their own: what is tested with them is what dies and comes back.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { eventually } from './api.ts';

/** Also for one that has to wait for the processor. */
const READY_WITHIN_MS = 180_000;
/** Of one that ended, in characters. */
const LAST_WORDS = 4_000;

export interface RunningProcess {
  pid: number;
  url: string;
  output(): string;
  /** Null while it runs, and when a signal ended it. */
  exitCode(): number | null;
  hasEnded(): boolean;
  /** Resolves to the exit code when it has ended. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** What a process is given besides its role. */
export interface Launch {
  environment?: Record<string, string>;
  /** A command that becomes the process in the end, such as `nice`. */
  through?: string[];
}

/** What the Dockerfile sets and a fault can tell from its absence. */
const IN_THE_IMAGE = { UV_THREADPOOL_SIZE: '64' };

/** Whoever started them may be ended by a signal: they do not outlive it. */
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** Resolves when it says that it is ready, or has come to its failpoint before. */
export async function startProcess(
  repoRoot: string,
  role: 'start' | 'api' | 'worker',
  environment: Record<string, string>,
  through: string[] = [],
): Promise<RunningProcess> {
  const [command = process.execPath, ...args] = [...through, process.execPath, join(repoRoot, 'dist', 'main.js'), role];
  const child = spawn(command, args, {
    cwd: repoRoot,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'warn', ...IN_THE_IMAGE, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  await eventually(() => /is ready|^failpoint /m.test(output) || hasEnded(), {
    timeoutMs: READY_WITHIN_MS,
    what: role,
  });
  if (hasEnded()) {
    throw new Error(`${role} ended with ${child.exitCode ?? child.signalCode}: ${output.slice(-LAST_WORDS)}`);
  }
  return {
    pid: child.pid ?? 0,
    url: /API +(\S+)\/v1/.exec(output)?.[1] ?? '',
    output: () => output,
    exitCode: () => child.exitCode,
    hasEnded,
    end: (signal) => end(child, signal),
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
  return child.exitCode;
}
