// The stack behind `npm start` and the tests: starts what was not given, in order, and stops it in reverse.
import { accessSync, constants, mkdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { lockDataDir } from './lock.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { startTemporal, type Temporal } from './temporal.ts';
import { findTemporalBinary } from './temporal-binary.ts';

export interface StackOptions {
  dataDir: string;
  /** Given: no PostgreSQL is started. */
  databaseUrl?: string | undefined;
  /** Given: no Temporal server is started. */
  temporalAddress?: string | undefined;
  temporalPort?: number | undefined;
  temporalUiPort?: number | undefined;
  temporalMetricsPort?: number | undefined;
  temporalCliPath?: string | undefined;
  /** Without it a free port, the same one again at the next start if it is still free. */
  postgresPort?: number | undefined;
  postgresConnections?: number | undefined;
  /** False only where the data is thrown away afterwards (tests): no fsync. */
  durable?: boolean | undefined;
  /** Where a downloaded Temporal CLI is kept for all projects of this user. */
  cacheDir?: string | undefined;
  onProgress: (line: string) => void;
  /** A server we started ended on its own; the stack is no use any more. */
  onUnexpectedExit?: ((message: string) => void) | undefined;
}

export interface Stack {
  databaseUrl: string;
  temporalAddress: string;
  /** Null where the Temporal server is not ours. */
  temporalUiUrl: string | null;
  /** Null where nothing is kept by us. */
  dataDir: string | null;
  pids: { postgres: number | null; temporal: number | null };
  /** At most 8 seconds. */
  stop(): Promise<void>;
}

const TEMPORAL_PORT = 7233;
const TEMPORAL_UI_PORT = 8233;

interface Server {
  pid: number;
  stop(): Promise<void>;
}

export async function startStack(options: StackOptions): Promise<Stack> {
  const { databaseUrl, temporalAddress } = options;
  if (databaseUrl && temporalAddress) return foreignStack(databaseUrl, temporalAddress);
  const dataDir = makeDataDir(options.dataDir);
  const lock = lockDataDir(dataDir);
  // PostgreSQL and Temporal do not know each other: they start at once and stop at once, each with its own bound.
  const servers: Server[] = [];
  const keep = <S extends Server>(server: S): S => {
    servers.push(server);
    return server;
  };
  let stopping: Promise<void> | null = null;
  const stop = () => (stopping ??= stopAll(servers).finally(() => lock.release()));
  const starting = [
    startOwnPostgres({ ...options, dataDir }, keep),
    startOwnTemporal({ ...options, dataDir }, keep),
  ] as const;
  try {
    // Both have settled before anything is torn down, so that nothing is started behind the back of stop().
    await Promise.allSettled(starting);
    const [postgres, temporal] = await Promise.all(starting);
    return {
      databaseUrl: options.databaseUrl ?? postgres!.databaseUrl,
      temporalAddress: options.temporalAddress ?? temporal!.address,
      temporalUiUrl: temporal?.uiUrl ?? null,
      dataDir,
      pids: { postgres: postgres?.pid ?? null, temporal: temporal?.pid ?? null },
      stop,
    };
  } catch (error) {
    await stop().catch((second: Error) => options.onProgress(second.message)); // Why it failed comes first.
    throw error;
  }
}

/** Nothing of ours runs, so there is no folder to own, and any number of processes may share what was given. */
function foreignStack(databaseUrl: string, temporalAddress: string): Stack {
  const pids = { postgres: null, temporal: null };
  return { databaseUrl, temporalAddress, temporalUiUrl: null, dataDir: null, pids, stop: () => Promise.resolve() };
}

async function startOwnPostgres(options: StackOptions, keep: (server: Postgres) => Postgres): Promise<Postgres | null> {
  if (options.databaseUrl !== undefined) return null;
  const { postgresPort: port, postgresConnections: maxConnections, ...others } = options;
  return keep(await startPostgres({ ...others, port, maxConnections }));
}

async function startOwnTemporal(options: StackOptions, keep: (server: Temporal) => Temporal): Promise<Temporal | null> {
  if (options.temporalAddress !== undefined) return null;
  const { temporalPort: port = TEMPORAL_PORT, temporalMetricsPort: metricsPort, onProgress } = options;
  const uiPort = options.temporalUiPort ?? (port === TEMPORAL_PORT ? TEMPORAL_UI_PORT : port + 1000);
  const cacheDir = options.cacheDir ?? join(homedir(), '.cache', 'perdure');
  const binary = await findTemporalBinary({ explicitPath: options.temporalCliPath, cacheDir, onProgress });
  return keep(await startTemporal({ ...options, binary, port, uiPort, metricsPort }));
}

/** The real path: the servers of an earlier run are recognised by it. */
function makeDataDir(path: string): string {
  // As root, PostgreSQL runs as another account, who must be able to pass through (not to list).
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  try {
    mkdirSync(join(path, 'logs'), { recursive: true, mode });
    accessSync(path, constants.W_OK);
    return realpathSync(path);
  } catch (error) {
    throw new Error(`The data folder ${path} cannot be used (${(error as Error).message}); set PERDURE_DATA_DIR.`);
  }
}

async function stopAll(servers: Server[]): Promise<void> {
  const results = await Promise.allSettled(servers.map((server) => server.stop()));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
