// Starting, recognising and ending processes, without ever trusting a process id alone.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process as it was when we looked: the id may be given to another one later, the start time tells them apart. */
export interface ProcessMark {
  pid: number;
  startedAt: string | null;
}

/** Signals in the order they are tried, each with the time the process has to end after it. */
export type StopSteps = [NodeJS.Signals, waitMs: number][];

/** Where in what linuxStat returns. */
const THREADS = 17;
const START_TICKS = 19;

export interface Child {
  mark: ProcessMark;
  /** How it ended, or null while it runs. */
  ended(): string | null;
}

export interface SpawnOptions {
  logFile: string;
  account?: { uid: number; gid: number } | null;
  onExit?: (how: string) => void;
}

/**
 * Starts a server that outlives a Ctrl-C in the terminal (its own process group: we end it ourselves, in order).
 * The log is truncated at each start, which bounds it.
 */
export async function spawnServer(command: string, args: string[], options: SpawnOptions): Promise<Child> {
  const log = openSync(options.logFile, 'w', 0o600);
  let how: string | null = null;
  let child: ChildProcess;
  try {
    child = spawn(command, args, { detached: true, cwd: '/', stdio: ['ignore', log, log], ...options.account });
  } finally {
    closeSync(log);
  }
  child.once('exit', (code, signal) => {
    how = signal ? `signal ${signal}` : `exit code ${code}`;
    options.onExit?.(how);
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  child.unref();
  return { mark: markProcess(child.pid!), ended: () => how };
}

export function markProcess(pid: number): ProcessMark {
  return { pid, startedAt: startTime(pid) };
}

export function isRunning({ pid, startedAt }: ProcessMark): boolean {
  return isAlive(pid) && startTime(pid) === startedAt;
}

/** The command line of a running process, or null when there is none or it cannot be known here. */
export function commandOf(pid: number): string | null {
  if (!isAlive(pid)) return null;
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    if (process.platform === 'win32') return null;
    return ps(pid, 'command=');
  } catch {
    return null; // It ended while we looked.
  }
}

/** Sends each signal in turn, waiting the given time for the process to end; false when it survived them all. */
export async function stopProcess(mark: ProcessMark, steps: StopSteps): Promise<boolean> {
  for (const [signal, waitMs] of steps) {
    if (!isRunning(mark)) return true;
    try {
      process.kill(mark.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
      throw error;
    }
    if (await waitUntil(() => !isRunning(mark), waitMs)) return true;
  }
  return !isRunning(mark);
}

export async function waitUntil(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

/** The end of a log in one line, for an error message. */
export function lastLines(logFile: string, count = 3): string {
  try {
    const lines = readFileSync(logFile, 'utf8').split('\n');
    const kept = lines.map((line) => line.trim()).filter((line) => line !== '');
    return kept.slice(-count).join(' | ').slice(-600);
  } catch (error) {
    return `log unreadable: ${(error as Error).message}`;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  // A killed process whose parent never asks for its exit code (a container without init) stays listed as a zombie.
  if (process.platform !== 'linux') return true;
  const stat = linuxStat(pid);
  const hasEnded = ['Z', 'X', undefined].includes(stat?.[0]);
  // Until the last of its threads has ended it holds its files and ports.
  return !hasEnded || Number(stat?.[THREADS] ?? 0) > 1;
}

function startTime(pid: number): string | null {
  if (process.platform === 'win32') return null;
  if (process.platform !== 'linux') {
    try {
      return ps(pid, 'lstart=');
    } catch {
      return null; // No such process any more.
    }
  }
  const ticks = linuxStat(pid)?.[START_TICKS];
  return ticks === undefined ? null : `${bootId()}/${ticks}`;
}

/** The fields of /proc/<pid>/stat from the third on (the second, the name, may hold spaces and brackets). */
function linuxStat(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null; // No such process.
  }
}

/** Start times count from the last boot, so they say nothing without it. */
function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function ps(pid: number, field: string): string {
  return execFileSync('ps', ['-o', field, '-p', String(pid)], {
    encoding: 'utf8',
    stdio: 'pipe',
    timeout: 5_000,
  }).trim();
}
