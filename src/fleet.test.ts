// Workers as processes of their own: what one leaves undone is another's, and a pause is stronger than a restart.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { eventually, type Json } from './testing/api.ts';
import { allPages, type Fleet, startFleet } from './testing/fleet.ts';
import type { RunningProcess } from './testing/process.ts';
import { answer, type Receiver, slowly, startReceiver } from './testing/receiver.ts';

const GONE_WITHIN_MS = 30_000;

let fleet: Fleet;
let receiver: Receiver;
let first: RunningProcess;
let second: RunningProcess;
const startAs = (id: string) => fleet.startWorker({ PERDURE_WORKER_ID: id });
beforeAll(async () => {
  receiver = await startReceiver();
  fleet = await startFleet();
  [first, second] = await Promise.all([startAs('first'), startAs('second')]);
});
afterAll(async () => {
  await fleet.stop();
  await receiver.stop();
});

async function tell(id: string, order: 'pause' | 'resume' | 'drain'): Promise<void> {
  expect((await fleet.api.post(`/v1/workers/${id}/${order}`)).status).toBe(202);
}

function stateIs(id: string, states: string[], timeoutMs = 20_000): Promise<Json> {
  const read = async () => states.includes((await fleet.api.get(`/v1/workers/${id}`)).body.state);
  return eventually(read, { timeoutMs, what: `${id} is ${states.join(' or ')}` });
}

async function workersOf(ids: string[]): Promise<string[]> {
  const attempts = await Promise.all(ids.map((id) => fleet.api.get(`/v1/jobs/${id}/attempts`)));
  return attempts.flatMap(({ body }) => body.items.map(({ worker }: Json) => worker));
}

/** Local and regular first attempts, and a lane. */
async function runMixed(name: string): Promise<string[]> {
  const http = { method: 'POST', url: `${receiver.url}/${name}` };
  const ids = await fleet.submit(40, (n) => ({ http, delivery: n % 2 ? 'atLeastOnce' : 'atMostOnce' }));
  const batch = await fleet.api.post('/v1/batches', { items: Array.from({ length: 20 }, () => ({ http })) });
  expect(batch.status).toBe(201);
  const items = await allPages(fleet.api, `/v1/jobs?batchId=${batch.body.id}`);
  const all = [...ids, ...items.map(({ id }) => id as string)];
  await fleet.finalJobs(all);
  return all;
}

test('a paused worker takes nothing: another takes everything', async () => {
  await tell('first', 'pause');
  await stateIs('first', ['paused']);
  expect(new Set(await workersOf(await runMixed('others')))).toEqual(new Set(['second']));
}, 120_000);

test('a pause survives a restart under the same id, a resume ends it', async () => {
  expect(await first.end('SIGTERM')).toBe(0);
  await stateIs('first', ['drained']);
  first = await startAs('first');
  await stateIs('first', ['paused']);
  expect(new Set(await workersOf(await runMixed('again')))).toEqual(new Set(['second']));
  await tell('first', 'resume');
  await stateIs('first', ['available', 'busy']);
}, 120_000);

test('what a paused worker has begun goes on elsewhere', async () => {
  receiver.on('/moves', (request, response, nth) => answer(nth === 1 ? 503 : 200)(request, response, nth));
  await tell('second', 'pause');
  await stateIs('second', ['paused']);
  const retry = { initialInterval: '4s', jitter: 0 };
  const [id = ''] = await fleet.submit(1, () => ({ http: { url: `${receiver.url}/moves` }, retry }));
  await eventually(() => receiver.at('/moves').length === 1);
  await tell('second', 'resume');
  await tell('first', 'pause');
  await stateIs('first', ['paused']);
  await fleet.finalJobs([id], 30_000);
  expect(await workersOf([id])).toEqual(['first', 'second']);
}, 120_000);

test('a killed worker is gone within 30 seconds; a drained one ends its calls, then its process', async () => {
  await first.end('SIGKILL');
  await stateIs('first', ['gone'], GONE_WITHIN_MS);

  receiver.on('/drained', slowly(2_000));
  const ids = await fleet.submit(10, (n) => ({ http: { url: `${receiver.url}/drained/${n}` } }));
  await eventually(() => receiver.received.filter(({ path }) => path.startsWith('/drained')).length === 10);
  await tell('second', 'drain');
  await eventually(() => second.exitCode() !== null, { what: 'the drained process has ended' });
  expect(second.exitCode()).toBe(0);
  const jobs = await fleet.finalJobs(ids, 5_000);
  expect(jobs.filter(({ status, attempts }) => status !== 'succeeded' || attempts !== 1)).toEqual([]);

  expect((await fleet.api.get('/v1/workers')).body.items).toEqual([]);
  const ended = (await fleet.api.get('/v1/workers?state=gone&state=drained')).body.items;
  expect(ended.map(({ id, state }: Json) => [id, state]).sort()).toEqual([
    ['first', 'gone'],
    ['second', 'drained'],
  ]);
  const counted = /^perdure_workers\{state="gone"\} 1$[^]*^perdure_queue_backlog\{queue="[^"]+"\} 0$/m;
  await eventually(async () => counted.test((await fleet.api.get('/metrics')).text), { what: 'it is counted' });
}, 120_000);
