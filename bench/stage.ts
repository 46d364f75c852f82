// Where everything is measured: one PostgreSQL, one Temporal server and one receiver for all systems.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';

import { startStack } from '../src/stack/index.ts';
import { freePort } from '../src/stack/ports.ts';
import { startChild } from './child.ts';

export interface Stage {
  root: string;
  receiverUrl: string;
  temporalAddress: string;
  groups: { temporal: number[]; postgres: number[] };
  /** The compiled file of an entry in this folder. */
  entry(name: string): string;
  source(file: string): string;
  /** An empty database; returns its address. */
  createDatabase(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** `entries`: where the compiled files of this folder are. */
export async function setStage(root: string, entries: string): Promise<Stage> {
  const dataDir = mkdtempSync(join(tmpdir(), 'perdure-bench-'));
  // As root, PostgreSQL runs as another account, who must be able to pass through.
  chmodSync(dataDir, 0o711);
  const entry = (name: string) => join(entries, `${name}.mjs`);
  const stack = await startStack({
    dataDir,
    temporalPort: await freePort(),
    temporalUiPort: await freePort(),
    temporalCliPath: process.env.PERDURE_TEMPORAL_CLI,
    onProgress: (line) => console.error(line),
  });
  const receiver = await startChild(entry('receiver'), {});
  let databases = 0;
  return {
    root,
    receiverUrl: String(receiver.ready),
    temporalAddress: stack.temporalAddress,
    groups: { temporal: [stack.pids.temporal ?? 0], postgres: [stack.pids.postgres ?? 0] },
    entry,
    source: (file) => join(root, 'bench', file),
    async createDatabase(name) {
      const client = new pg.Client({ connectionString: stack.databaseUrl });
      await client.connect();
      const database = `bench_${name}_${++databases}`;
      await client.query(`create database ${pg.escapeIdentifier(database)}`).finally(() => client.end());
      const url = new URL(stack.databaseUrl);
      url.pathname = `/${database}`;
      return url.href;
    },
    async stop() {
      await receiver.stop();
      await stack.stop();
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
