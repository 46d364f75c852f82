// The promises about jobs at full size, with their figures printed: `npm run test:long`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { startStack } from './stack/index.ts';
import { freePort } from './stack/ports.ts';
import { eventually } from './testing/api.ts';
import { allPages, type Fleet, startFleet } from './testing/fleet.ts';
import { type Receiver, slowly, startReceiver } from './testing/receiver.ts';

let fleet: Fleet;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  fleet = await startFleet({ PERDURE_CONCURRENCY: '500' });
});
afterEach(() => fleet.killWorkers());
afterAll(async () => {
  await fleet.stop();
  await receiver.stop();
});

function sendsOf(name: string) {
  return receiver.received.filter(({ path }) => path.startsWith(`/${name}/`));
}

test('2,000 jobs with 20 % client retries: lost 0, duplicate jobs 0, duplicate sends 0', async () => {
  await fleet.startWorker();
  const { api } = fleet;
  const ids: string[] = [];
  let duplicates = 0;
  let next = 0;
  const client = async () => {
    for (let n = next++; n < 2_000; n = next++) {
      const spec = { http: { method: 'POST', url: `${receiver.url}/many/${n}` } };
      const copies = n % 5 === 0 ? 3 : 1;
      const answers = await Promise.all(
        Array.from({ length: copies }, () => api.post('/v1/jobs', spec, { 'idempotency-key': `many-${n}` })),
      );
      const different = new Set(answers.map(({ body }) => body.id as string));
      duplicates += different.size - 1;
      ids.push(...different);
    }
  };
  const startedAt = Date.now();
  await Promise.all(Array.from({ length: 32 }, client));
  const jobs = await fleet.finalJobs(ids, 240_000);
  const lost = 2_000 - jobs.filter(({ status }) => status === 'succeeded').length;
  const resent = sendsOf('many').length - new Set(sendsOf('many').map(({ path }) => path)).size;
  console.log(
    `2,000 jobs in ${Date.now() - startedAt} ms: lost ${lost}, duplicate jobs ${duplicates}, sent twice ${resent}`,
  );
  for (const { links } of jobs.filter(({ attempts }) => attempts > 1).slice(0, 5)) {
    console.log(JSON.stringify((await api.get(links.attempts)).body.items));
  }
  expect({ lost, duplicates, resent }).toEqual({ lost: 0, duplicates: 0, resent: 0 });
}, 300_000);

test.each(['atLeastOnce', 'atMostOnce'])(
  'kill -9 in the middle of 500 slow jobs, %s',
  async (delivery) => {
    receiver.on(`/${delivery}/`, slowly(3_000));
    const worker = await fleet.startWorker();
    const ids = await fleet.submit(500, (n) => ({
      delivery,
      http: { method: 'POST', url: `${receiver.url}/${delivery}/${n}` },
    }));
    await eventually(() => sendsOf(delivery).length >= 100, { what: '100 calls are under way' });
    await worker.end('SIGKILL');
    const killedAt = Date.now();
    const sentBefore = sendsOf(delivery).length;
    await fleet.startWorker();
    const jobs = await fleet.finalJobs(ids, 120_000);
    const finalAfterMs = Date.now() - killedAt;
    const resent = sendsOf(delivery).length - new Set(sendsOf(delivery).map(({ path }) => path)).size;
    const keys = sendsOf(delivery).filter(
      ({ path, headers }) => headers['idempotency-key'] !== ids[Number(path.split('/')[2])],
    );
    const unknown = jobs.filter(({ status }) => status === 'unknown');
    const dead = await allPages(fleet.api, '/v1/dead-letters?reason=outcomeUnknown');
    console.log({ delivery, sentBefore, resent, unknown: unknown.length, dead: dead.length, finalAfterMs });
    expect(keys).toEqual([]);
    expect(finalAfterMs).toBeLessThan(60_000);
    if (delivery === 'atMostOnce') {
      expect(resent).toBe(0);
      expect(dead.length).toBe(unknown.length);
      expect(jobs.every(({ status }) => ['unknown', 'succeeded'].includes(status))).toBe(true);
    } else {
      expect(resent).toBeLessThanOrEqual(sentBefore);
      expect(jobs.every(({ status }) => status === 'succeeded')).toBe(true);
    }
  },
  240_000,
);

test('kill -9 twice in the middle of a batch of 5,000: lost 0, sent twice at most what was in flight', async () => {
  receiver.on('/batch/', slowly(100));
  const { api } = fleet;
  const items = Array.from({ length: 5_000 }, (_, n) => ({
    http: { method: 'POST', url: `${receiver.url}/batch/${n}` },
  }));
  let worker = await fleet.startWorker();
  const { status, body: batch } = await api.post('/v1/batches', { items, concurrency: 200 });
  expect(status).toBe(201);
  const counts = async () => (await api.get(`/v1/batches/${batch.id}`)).body.counts;
  const startedAt = Date.now();
  const inFlight: number[] = [];
  for (const sent of [1_000, 3_000]) {
    await eventually(() => sendsOf('batch').length >= sent, { timeoutMs: 120_000, what: `${sent} calls were made` });
    await worker.end('SIGKILL');
    const called = new Set(sendsOf('batch').map(({ path }) => path)).size;
    inFlight.push(called - (await counts()).succeeded);
    worker = await fleet.startWorker();
  }
  const ended = await eventually(
    async () => {
      const { succeeded, failed } = await counts();
      return succeeded + failed === 5_000 && { succeeded, failed };
    },
    { timeoutMs: 240_000, what: 'the batch has ended' },
  );
  const sends = sendsOf('batch').length;
  const resent = sends - new Set(sendsOf('batch').map(({ path }) => path)).size;
  console.log({ ...ended, inFlight, resent, ms: Date.now() - startedAt });
  expect(ended).toEqual({ succeeded: 5_000, failed: 0 });
  expect(inFlight.every((count) => count > 0)).toBe(true);
  expect(resent).toBeLessThanOrEqual(inFlight.reduce((sum, count) => sum + count));
}, 400_000);

test('SIGTERM with 200 calls in flight: no call is cut, none repeated', async () => {
  receiver.on('/grace/', slowly(5_000));
  const worker = await fleet.startWorker();
  const ids = await fleet.submit(200, (n) => ({ http: { method: 'POST', url: `${receiver.url}/grace/${n}` } }));
  await eventually(() => sendsOf('grace').length === 200, { what: '200 calls are under way' });
  expect(await worker.end('SIGTERM')).toBe(0);
  await fleet.startWorker();
  const jobs = await fleet.finalJobs(ids);
  expect(jobs.filter(({ status, attempts }) => status !== 'succeeded' || attempts !== 1)).toEqual([]);
  expect(sendsOf('grace')).toHaveLength(200);
}, 120_000);

test('Temporal stopped during 500 submissions: 500 × 201, and all final after it returns', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'perdure-long-'));
  const temporalPort = await freePort();
  const temporalUiPort = await freePort();
  // Only its Temporal: the database of a fleet is always the shared one.
  const startTemporal = () =>
    startStack({ dataDir, databaseUrl: 'postgres://unused', temporalPort, temporalUiPort, onProgress: () => {} });
  let temporal = await startTemporal();
  const own = await startFleet({ temporalAddress: temporal.temporalAddress });
  try {
    await own.startWorker();
    const submitting = own.submit(500, (n) => ({ http: { method: 'POST', url: `${receiver.url}/down/${n}` } }));
    await eventually(() => sendsOf('down').length >= 50, { what: 'the first jobs have run' });
    await temporal.stop();
    const ids = await submitting;
    temporal = await startTemporal();
    const backAt = Date.now();
    const jobs = await own.finalJobs(ids, 120_000);
    console.log(`all 500 final ${Date.now() - backAt} ms after Temporal was back`);
    expect(jobs.filter(({ status }) => status !== 'succeeded')).toEqual([]);
  } finally {
    await own.stop();
    await temporal.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}, 240_000);
