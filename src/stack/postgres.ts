// An embedded PostgreSQL: a real server with its data in the data folder, reachable from this machine with a password only.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';

import { endOrphan, findPostgres } from './orphans.ts';
import { freePort, isPortFree, requirePort } from './ports.ts';
import { initialisePostgres, readMemory, USER, writeMemory } from './postgres-data.ts';
import { findPostgresPlace, type PostgresPlace } from './postgres-place.ts';
import { type Child, lastLines, spawnServer, stopProcess, type StopSteps } from './process.ts';

export interface PostgresOptions {
  dataDir: string;
  port?: number | undefined;
  durable?: boolean | undefined;
  maxConnections?: number | undefined;
  onProgress: (line: string) => void;
  onUnexpectedExit?: ((message: string) => void) | undefined;
}

export interface Postgres {
  databaseUrl: string;
  port: number;
  pid: number;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
/** Three processes of ours, with room for an operator. */
const MAX_CONNECTIONS = 200;
/** Fast shutdown, then without a checkpoint (the next start recovers), then the end. 7 s in all. */
const STOP_STEPS: StopSteps = [
  ['SIGINT', 4_500],
  ['SIGQUIT', 1_500],
  ['SIGKILL', 1_000],
];
/** Another process took the port since we looked, or the backends of a killed server are just ending. */
const PASSING_FAILURE = /could not bind|could not create any TCP|pre-existing shared memory/i;

export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { dataDir, durable = true, onProgress } = options;
  const place = findPostgresPlace(dataDir, onProgress);
  const data = join(place.home, 'data');
  if (!fs.existsSync(data)) await initialisePostgres(dataDir, place, durable);
  await endOrphan(findPostgres(place.home), { what: 'PostgreSQL', steps: STOP_STEPS, onProgress });
  // Whose process is another one by now: PostgreSQL itself would take it for a running server, and refuse.
  fs.rmSync(join(data, 'postmaster.pid'), { force: true });
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const port = await choosePort(options.port, readMemory(options.dataDir).port);
    try {
      return await launch(place, port, deadline, options);
    } catch (error) {
      if (!PASSING_FAILURE.test((error as Error).message) || Date.now() > deadline) throw error;
      await sleep(250);
    }
  }
}

async function launch(
  place: PostgresPlace,
  port: number,
  deadline: number,
  options: PostgresOptions,
): Promise<Postgres> {
  const logFile = join(options.dataDir, 'logs', 'postgres.log');
  const memory = readMemory(options.dataDir);
  const urlOf = (database: string) => `postgresql://${USER}:${memory.password}@127.0.0.1:${port}/${database}`;
  let serving = false;
  const onExit = (how: string) => {
    if (serving) options.onUnexpectedExit?.(`PostgreSQL ended (${how}): ${lastLines(logFile)}`);
  };
  const args = serverArgs(join(place.home, 'data'), port, options);
  const child = await spawnServer(place.postgres, args, { account: place.account, logFile, onExit });
  const stop = async () => {
    serving = false;
    if (!(await stopProcess(child.mark, STOP_STEPS))) {
      throw new Error(`PostgreSQL (pid ${child.mark.pid}) did not end.`);
    }
  };
  try {
    await waitReady(urlOf('postgres'), child, logFile, deadline);
    writeMemory(options.dataDir, { ...memory, port });
  } catch (error) {
    await stop();
    throw error;
  }
  serving = true;
  return { databaseUrl: urlOf(USER), port, pid: child.mark.pid, stop };
}

function serverArgs(
  data: string,
  port: number,
  { durable = true, maxConnections = MAX_CONNECTIONS }: Pick<PostgresOptions, 'durable' | 'maxConnections'>,
): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: String(maxConnections),
    lc_messages: 'C',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return [
    '-D',
    data,
    '-p',
    String(port),
    ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ];
}

async function choosePort(given: number | undefined, remembered: number | null): Promise<number> {
  if (given !== undefined) return requirePort(given, 'PostgreSQL', 'PERDURE_POSTGRES_PORT');
  return remembered !== null && (await isPortFree(remembered)) ? remembered : freePort();
}

/** Ready means it answers, and holds the database we are going to use. */
async function waitReady(adminUrl: string, child: Child, logFile: string, deadline: number): Promise<void> {
  for (;;) {
    const failure = await ensureDatabase(adminUrl);
    if (failure === null) return;
    if (child.ended() !== null) throw new Error(`PostgreSQL did not start (${child.ended()}): ${lastLines(logFile)}`);
    // Refused: not listening yet. 57P03: starting up or recovering.
    if (!['ECONNREFUSED', '57P03'].includes(failure.code ?? '') || Date.now() > deadline) {
      throw new Error(`PostgreSQL does not answer (${failure.message}): ${lastLines(logFile)}`);
    }
    await sleep(25);
  }
}

async function ensureDatabase(adminUrl: string): Promise<(Error & { code?: string }) | null> {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 5_000, query_timeout: 15_000 });
  client.on('error', () => {}); // A lost connection fails the query under way, which is where it is told.
  try {
    await client.connect();
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [USER]);
    if (rowCount === 0) await client.query(`create database ${USER}`);
    return null;
  } catch (error) {
    return error as Error & { code?: string };
  } finally {
    await client.end();
  }
}
