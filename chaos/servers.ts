// The stores of a run, each on a data folder of its own, so that each can die and come back without the other.
import { chmodSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';

import { type Stack, startStack } from '../src/stack/index.ts';
import { lastingPort } from './ports.ts';

export interface Server {
  /** The same after every start. */
  address: string;
  pid(): number;
  start(): Promise<void>;
  /** As an operator would stop it. */
  stop(): Promise<void>;
  /** As the kernel would. */
  kill(): Promise<void>;
}

const NOT_OURS = 'postgres://not-started';
/** Of the processes of three faults and of the crash points, all at once. */
const CONNECTIONS = 800;

export async function startPostgresServer(folder: string): Promise<Server> {
  const dataDir = newFolder(folder, 'postgres');
  const postgresPort = await lastingPort();
  return createServer(
    () =>
      startStack({
        ...{ dataDir, temporalAddress: 'not-started', postgresPort },
        postgresConnections: CONNECTIONS,
        onProgress: () => {},
      }),
    ({ databaseUrl }) => databaseUrl,
    ({ pids }) => pids.postgres,
  );
}

export async function startTemporalServer(folder: string): Promise<Server> {
  const dataDir = newFolder(folder, 'temporal');
  const ports = { temporalPort: await lastingPort(), temporalUiPort: await lastingPort() };
  return createServer(
    () => startStack({ dataDir, databaseUrl: NOT_OURS, ...ports, onProgress: () => {} }),
    ({ temporalAddress }) => temporalAddress,
    ({ pids }) => pids.temporal,
  );
}

async function createServer(
  launch: () => Promise<Stack>,
  addressOf: (stack: Stack) => string,
  pidOf: (stack: Stack) => number | null,
): Promise<Server> {
  let stack = await launch();
  const pid = () => pidOf(stack) ?? 0;
  return {
    address: addressOf(stack),
    pid,
    async start() {
      stack = await launch();
    },
    stop: () => stack.stop(),
    async kill() {
      process.kill(pid(), 'SIGKILL');
      // What is left of it: the lock on its folder.
      await stack.stop();
    },
  };
}

function newFolder(folder: string, name: string): string {
  const path = mkdtempSync(join(folder, `${name}-`));
  // As root, PostgreSQL runs as another account, who must be able to pass through.
  chmodSync(path, 0o711);
  return path;
}
