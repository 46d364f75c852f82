// Workers taken out of service in the middle of load, with the figures printed: `npm run test:long`.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { eventually, type Json } from './testing/api.ts';
import { allPages, type Fleet, startFleet } from './testing/fleet.ts';
import { type Receiver, slowly, startReceiver } from './testing/receiver.ts';

const JOBS = 1_000;
const ITEMS = 200;

let fleet: Fleet;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  receiver.on('/load/', slowly(150));
  fleet = await startFleet();
});
afterAll(async () => {
  await fleet.stop();
  await receiver.stop();
});

test('1,200 jobs while workers are drained and paused: lost 0, duplicates 0', async () => {
  const [leaves] = await Promise.all(
    ['leaves', 'pauses', 'stays'].map((id) => fleet.startWorker({ PERDURE_WORKER_ID: id })),
  );
  const { api } = fleet;
  const http = (n: string) => ({ method: 'POST', url: `${receiver.url}/load/${n}` });
  const items = Array.from({ length: ITEMS }, (_, n) => ({ http: http(`item-${n}`) }));
  const batch = await api.post('/v1/batches', { items, concurrency: 5 });
  const startedAt = Date.now();
  const submitting = fleet.submit(JOBS, (n) => ({
    http: http(`${n}`),
    delivery: n % 2 ? 'atLeastOnce' : 'atMostOnce',
    retry: { initialInterval: '200ms' },
  }));
  await eventually(() => receiver.received.length >= 200, { timeoutMs: 60_000, what: 'the load runs' });
  expect((await api.post('/v1/workers/leaves/drain')).status).toBe(202);
  const toldAt = Date.now();
  expect((await api.post('/v1/workers/pauses/pause')).status).toBe(202);
  await eventually(async () => (await api.get('/v1/workers/pauses')).body.state === 'paused');
  const pausedAfterMs = Date.now() - toldAt;
  await eventually(() => leaves?.exitCode() !== null, { timeoutMs: 30_000, what: 'the drained worker has ended' });
  const drainedAt = receiver.received.length;
  expect(leaves?.exitCode()).toBe(0);
  expect((await api.get('/v1/workers')).body.items.map(({ id }: Json) => id).sort()).toEqual(['pauses', 'stays']);
  expect(drainedAt).toBeLessThan(JOBS + ITEMS);

  const ids = [
    ...(await submitting),
    ...(await allPages(api, `/v1/jobs?batchId=${batch.body.id}`)).map(({ id }) => id),
  ];
  const jobs = await fleet.finalJobs(ids, 240_000);
  const lost = ids.length - jobs.filter(({ status }) => status === 'succeeded').length;
  const duplicates = receiver.received.length - new Set(receiver.received.map(({ path }) => path)).size;
  const again = jobs.filter(({ attempts }) => attempts !== 1).length;
  console.log({
    jobs: ids.length,
    ms: Date.now() - startedAt,
    calledWhenDrained: drainedAt,
    pausedAfterMs,
    lost,
    duplicates,
    again,
  });
  expect(pausedAfterMs).toBeLessThan(5_000);
  expect({ lost, duplicates, again }).toEqual({ lost: 0, duplicates: 0, again: 0 });
}, 300_000);
