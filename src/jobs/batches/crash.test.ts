// A batch outlives the workers that run it.
import { afterAll, beforeAll, expect, it } from 'vitest';

import { eventually } from '../../testing/api.ts';
import { allPages, type Fleet, startFleet } from '../../testing/fleet.ts';
import { type Receiver, startReceiver } from '../../testing/receiver.ts';

const ITEMS = 1_000;
const CONCURRENCY = 20;

let fleet: Fleet;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  fleet = await startFleet();
});
afterAll(async () => {
  await fleet.stop();
  await receiver.stop();
});

it('a worker killed in the middle loses no item, sends again only what was under way, and keeps the keys', async () => {
  receiver.on('/items/', (_request, response) => void setTimeout(() => response.end('{}'), 20));
  const first = await fleet.startWorker();
  const items = Array.from({ length: ITEMS }, (_, n) => ({ key: `${n}`, http: { url: `${receiver.url}/items/${n}` } }));
  const defaults = { retry: { initialInterval: '100ms' } };
  const batch = await fleet.api.post('/v1/batches', { concurrency: CONCURRENCY, defaults, items });
  await eventually(() => receiver.received.length > ITEMS / 5, { what: 'a part of the calls is made' });
  await first.end('SIGKILL');
  expect(receiver.received.length).toBeLessThan(ITEMS);
  await fleet.startWorker();
  const done = await fleet.api.get(`${batch.body.links.self}?wait=50s`);
  expect(done.body).toMatchObject({ status: 'finished', counts: { total: ITEMS, succeeded: ITEMS } });

  const jobs = await allPages(fleet.api, batch.body.links.jobs);
  const keys = new Map(jobs.map(({ id, batchKey }) => [`/items/${batchKey}`, id]));
  for (const { path, headers } of receiver.received) expect(headers['idempotency-key']).toBe(keys.get(path));
  expect(new Set(receiver.received.map(({ path }) => path)).size).toBe(ITEMS);
  // Under way is what had its attempt open: called, or answered and not yet written.
  const underWay = jobs.filter(({ attempts }) => attempts > 1).length;
  expect(receiver.received.length - ITEMS).toBeLessThanOrEqual(underWay);
  expect(underWay).toBeLessThan(ITEMS / 5);
});
