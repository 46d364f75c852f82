// `perdure start` as a user runs it: on an empty folder, again on its data, after a kill -9, and to its end.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { freePort } from './stack/ports.ts';
import { createApi } from './testing/api.ts';
import { type RunningProcess, startProcess } from './testing/process.ts';

let dataDir: string;
let environment: Record<string, string>;
let running: RunningProcess | null = null;
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'perdure-main-'));
  environment = {
    PORT: '0',
    PERDURE_DATA_DIR: dataDir,
    PERDURE_TEMPORAL_PORT: String(await freePort()),
    PERDURE_TEMPORAL_UI_PORT: String(await freePort()),
  };
});
afterAll(async () => {
  await running?.end('SIGTERM');
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(): Promise<ReturnType<typeof createApi>> {
  running = await startProcess(inject('repoRoot'), 'start', environment);
  return createApi(running.url);
}

test('a killed instance starts again with its data, and a stopped one ends within ten seconds', async () => {
  const api = await start();
  expect((await api.get('/readyz')).body).toMatchObject({ status: 'ready', postgres: 'up', temporal: 'up' });
  // The target is this instance itself; a later one listens on another port.
  const spec = { name: 'kept', http: { url: `${running?.url}/healthz` } };
  const first = await api.post('/v1/jobs', spec, { 'idempotency-key': 'kept', prefer: 'wait=20' });
  expect(first.body).toMatchObject({ status: 'succeeded', result: { status: 200 } });

  await running?.end('SIGKILL');
  const again = await start();
  expect((await again.get(`/v1/jobs/${first.body.id}`)).body).toEqual(first.body);
  const replay = await again.post('/v1/jobs', spec, { 'idempotency-key': 'kept' });
  expect([replay.status, replay.body.id]).toEqual([200, first.body.id]);

  const stoppedAt = Date.now();
  expect(await running?.end('SIGTERM')).toBe(0);
  expect(Date.now() - stoppedAt).toBeLessThan(10_000);
}, 120_000);

test('a port that is taken is named, with the variable that changes it, and nothing stays behind', async () => {
  const taken = { ...environment, PORT: String(await freePort()) };
  const first = await startProcess(inject('repoRoot'), 'start', taken);
  const others = {
    PERDURE_DATA_DIR: `${dataDir}-2`,
    PERDURE_TEMPORAL_PORT: String(await freePort()),
    PERDURE_TEMPORAL_UI_PORT: String(await freePort()),
  };
  try {
    await expect(startProcess(inject('repoRoot'), 'start', { ...taken, ...others })).rejects.toThrow(
      /port \d+ is taken.*PORT/,
    );
    await expect(startProcess(inject('repoRoot'), 'start', taken)).rejects.toThrow(/already running/);
  } finally {
    await first.end('SIGTERM');
    rmSync(`${dataDir}-2`, { recursive: true, force: true });
  }
}, 120_000);

test('a wrong variable ends the start with its name', async () => {
  await expect(startProcess(inject('repoRoot'), 'start', { ...environment, PORT: 'http' })).rejects.toThrow(/PORT: /);
});
