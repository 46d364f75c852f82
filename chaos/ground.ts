// Where one fault is tried: a database and a task queue of its own, and the processes of the product on them.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import pg from 'pg';

import { Perdure } from '../src/client/index.ts';
import { type Launch, type RunningProcess, startProcess } from '../src/testing/process.ts';
import { lastingPort } from './ports.ts';
import { withDatabase } from './sql.ts';
import type { World } from './world.ts';

export type { Launch };
/** `start` is both in one process. */
export type Role = 'api' | 'worker' | 'start';

export interface Ground {
  apiUrl: string;
  databaseUrl: string;
  taskQueue: string;
  perdure: Perdure;
  running: Record<Role, RunningProcess[]>;
  /** `more` is for this process alone. */
  start(role: Role, more?: Record<string, string>): Promise<RunningProcess>;
  /** The same, again and again while a store is away, or too busy to answer it. */
  startPatiently(role: Role, more?: Record<string, string>): Promise<RunningProcess>;
  /** Ends the process that has run longest; returns its exit code. */
  end(role: Role, signal: NodeJS.Signals): Promise<number | null>;
  /** Processes that ended although nobody asked them to. */
  casualties(): string[];
  close(): Promise<void>;
}

const START_PATIENCE_MS = 120_000;

let grounds = 0;

export async function createGround(
  world: World,
  environment: Record<string, string> = {},
  /** What goes through proxies needs the real address of the new database. */
  detour: { environment?(databaseUrl: string): Record<string, string>; launch?(role: Role): Launch } = {},
): Promise<Ground> {
  // Taken at once: of two that begin at the same moment neither may work off the queue of the other.
  const number = ++grounds;
  const databaseUrl = await createDatabase(world.postgres.address, `chaos_${number}`);
  const port = await lastingPort();
  const own = {
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: world.temporal.address,
    PERDURE_TASK_QUEUE: `chaos-${process.pid}-${number}`,
    PERDURE_EGRESS: 'any',
    PERDURE_SHUTDOWN_GRACE: '10s',
    ...environment,
    ...detour.environment?.(databaseUrl),
  };
  await migrate(world.root, { ...own, DATABASE_URL: databaseUrl });
  const running: Ground['running'] = { api: [], worker: [], start: [] };
  const start: Ground['start'] = async (role, more = {}) => {
    const { environment: ofRole, through } = detour.launch?.(role) ?? {};
    const process = await startProcess(world.root, role, { ...own, PORT: String(port), ...ofRole, ...more }, through);
    running[role].push(process);
    return process;
  };
  const ground: Ground = {
    apiUrl: `http://127.0.0.1:${port}`,
    databaseUrl,
    taskQueue: own.PERDURE_TASK_QUEUE,
    perdure: new Perdure({ baseUrl: `http://127.0.0.1:${port}` }),
    running,
    start,
    async startPatiently(role, more) {
      const endsAt = performance.now() + START_PATIENCE_MS;
      for (;;) {
        try {
          return await start(role, more);
        } catch (error) {
          if (isKilled(error) || performance.now() > endsAt) throw error;
          await sleep(250);
        }
      }
    },
    end: async (role, signal) => (await running[role].shift()?.end(signal)) ?? null,
    casualties: () =>
      Object.entries(running).flatMap(([role, processes]) =>
        processes
          .filter((process) => process.hasEnded())
          .map((process) => `a ${role} ended with ${process.exitCode()}: ${process.output().slice(-500)}`),
      ),
    async close() {
      world.grounds.delete(ground);
      await Promise.all(
        Object.values(running)
          .flat()
          .map((process) => process.end('SIGKILL')),
      );
    },
  };
  world.grounds.add(ground);
  return ground;
}

/** By its failpoint, before it was ready. */
export function isKilled(error: unknown): boolean {
  return /ended with SIGKILL/.test(String(error));
}

async function createDatabase(adminUrl: string, name: string): Promise<string> {
  await withDatabase(adminUrl, (client) => client.query(`create database ${pg.escapeIdentifier(name)}`));
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function migrate(root: string, environment: Record<string, string>): Promise<void> {
  await promisify(execFile)(process.execPath, [join(root, 'dist', 'main.js'), 'migrate'], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
  });
}
