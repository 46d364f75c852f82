// What outlives all faults of a run: the two stores, the oracle, and the folder they write to.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Server } from './servers.ts';
import { startPostgresServer, startTemporalServer } from './servers.ts';

export interface World {
  root: string;
  folder: string;
  postgres: Server;
  temporal: Server;
  oracle: { url: string; file: string };
  /** Closed with the world, if nobody has closed them before. */
  grounds: Set<{ close(): Promise<void> }>;
  stop(): Promise<void>;
}

/** The argument by which this program becomes the oracle. */
export const ORACLE = 'oracle';

export async function createWorld(root: string): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'perdure-chaos-'));
  chmodSync(folder, 0o711);
  const [postgres, temporal] = await Promise.all([startPostgresServer(folder), startTemporalServer(folder)]);
  const file = join(folder, 'oracle.jsonl');
  const { child, url } = await startOracle(file);
  const grounds: World['grounds'] = new Set();
  return {
    root,
    folder,
    postgres,
    temporal,
    oracle: { url, file },
    grounds,
    async stop() {
      await Promise.all([...grounds].map((ground) => ground.close()));
      child.stdin?.end();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await Promise.allSettled([postgres.stop(), temporal.stop()]);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function startOracle(file: string): Promise<{ child: ChildProcess; url: string }> {
  const program = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [program, ORACLE, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [port] = (await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('the oracle has not started'))),
  ])) as [Buffer];
  return { child, url: `http://127.0.0.1:${port.toString().trim()}` };
}
