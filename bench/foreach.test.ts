// A `forEach` over 10,000 items: it ends, no history comes near its limit, and memory stays bounded.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { freePort } from '../src/stack/ports.ts';
import { createApi, eventually, type Json } from '../src/testing/api.ts';
import { createTestDatabase } from '../src/testing/database.ts';
import { type Receiver, startReceiver } from '../src/testing/receiver.ts';

const ITEMS = 10_000;
const MAX_EVENTS = 20_000;
const MAX_RSS_MIB = 500;

let url: string;
let perdure: ChildProcess;
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let connection: Connection;
let receiver: Receiver;

// API and worker in a process of their own, so that its memory is theirs alone.
beforeAll(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  database = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
  receiver = await startReceiver();
  connection = await Connection.connect({ address: inject('temporalAddress') });
  perdure = spawn(process.execPath, [join(inject('repoRoot'), 'dist', 'main.js'), 'start'], {
    cwd: inject('repoRoot'),
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      DATABASE_URL: database.databaseUrl,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      PERDURE_TASK_QUEUE: `bench-${port}`,
      PERDURE_EGRESS: 'any',
      PERDURE_SHUTDOWN_GRACE: '1s',
      PORT: String(port),
      LOG_LEVEL: 'error',
    },
  });
  await eventually(async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok);
});
afterAll(async () => {
  const closed = new Promise((resolve) => perdure.once('exit', resolve));
  perdure.kill('SIGTERM');
  await closed;
  await connection.close();
  await receiver.stop();
  await database.drop();
});

test(`${ITEMS} items`, { timeout: 240_000 }, async () => {
  const api = createApi(url);
  const definition = {
    steps: [{ id: 'each', forEach: '${ input.items }', concurrency: 100, http: { url: `${receiver.url}/\${ item }` } }],
  };
  const input = { items: Array.from({ length: ITEMS }, (_item, index) => index) };
  const startedAt = performance.now();
  const { body: run } = await api.post('/v1/runs', { definition, input });
  let rssMib = 0;
  const done: Json = await eventually(
    async () => {
      rssMib = Math.max(rssMib, rssOf(perdure.pid));
      const { body } = await api.get(`/v1/runs/${run.id}?wait=2s`);
      return body.finishedAt && body;
    },
    { timeoutMs: 230_000 },
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const events = await Promise.all([
    historyLength(run.id),
    ...Array.from({ length: ITEMS / 500 }, (_chunk, at) =>
      historyLength(`${run.id}/each/${at * 500}-${at * 500 + 499}`),
    ),
  ]);
  console.log({
    seconds: Math.round(seconds),
    itemsPerSecond: Math.round(ITEMS / seconds),
    rssMib: Math.round(rssMib),
    events,
  });
  expect(done.error).toBeNull();
  expect(done.status).toBe('succeeded');
  expect(done.steps[0].items).toMatchObject({ total: ITEMS, succeeded: ITEMS, failed: 0 });
  expect(receiver.received).toHaveLength(ITEMS);
  expect(Math.max(...events)).toBeLessThan(MAX_EVENTS);
  expect(rssMib).toBeLessThan(MAX_RSS_MIB);
});

async function historyLength(workflowId: string): Promise<number> {
  const { historyLength: length } = await new Client({ connection }).workflow.getHandle(workflowId).describe();
  return length;
}

/** In MiB (Linux only). */
function rssOf(pid: number | undefined): number {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1_024;
}
