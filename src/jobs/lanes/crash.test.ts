// The shared lane outlives its workers, its carriers and the API that filled it.
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

import { eventually, type Json } from '../../testing/api.ts';
import { allPages, type Fleet, startFleet } from '../../testing/fleet.ts';
import { type Receiver, startReceiver } from '../../testing/receiver.ts';

const JOBS = 120;

let fleet: Fleet;
let receiver: Receiver;
let connection: Connection;
beforeAll(async () => {
  receiver = await startReceiver();
  // Only so that links say which workflow a job rides in.
  fleet = await startFleet({ TEMPORAL_UI_URL: 'http://ui.test' });
  connection = await Connection.connect({ address: inject('temporalAddress') });
});
afterAll(async () => {
  await connection.close();
  await fleet.stop();
  await receiver.stop();
});

const spec = (path: string) => (n: number) => ({
  lane: 'shared',
  http: { url: `${receiver.url}${path}/${n}` },
  retry: { initialInterval: '100ms' },
});

const isDone = ({ status }: PromiseSettledResult<unknown>) => status === 'fulfilled';

const callsTo = (path: string) => receiver.received.filter((one) => one.path.startsWith(path));

function expectOnceEach(jobs: Json[], path: string): void {
  expect(jobs.map(({ status }) => status)).toEqual(jobs.map(() => 'succeeded'));
  const keys = new Map(jobs.map(({ id, http }) => [new URL(http.url).pathname, id]));
  const calls = callsTo(path);
  for (const one of calls) expect(one.headers['idempotency-key']).toBe(keys.get(one.path));
  expect(new Set(calls.map((one) => one.path)).size).toBe(jobs.length);
  // Sent again was only what was under way.
  const again = jobs.filter(({ attempts }) => attempts > 1).length;
  expect(calls.length - jobs.length).toBeLessThanOrEqual(again);
}

it(
  'a worker killed in the middle loses no job and sends again only what was under way',
  { timeout: 150_000 },
  async () => {
    receiver.on('/killed/', (_request, response) => void setTimeout(() => response.end('{}'), 300));
    const worker = await fleet.startWorker();
    const ids = await fleet.submit(JOBS, spec('/killed'));
    await eventually(() => callsTo('/killed/').length > 20, { what: 'a part of the calls is made' });
    await worker.end('SIGKILL');
    await fleet.startWorker();
    expectOnceEach(await fleet.finalJobs(ids, 120_000), '/killed/');
  },
);

it('a carrier terminated in Temporal takes nobody along', { timeout: 150_000 }, async () => {
  const client = new Client({ connection });
  receiver.on('/ended/', (_request, response) => void setTimeout(() => response.end('{}'), 1_000));
  await fleet.killWorkers();
  const ids = await fleet.submit(40, spec('/ended'));
  const jobs = await allPages(fleet.api, '/v1/jobs?status=queued');
  const workflows: string[] = jobs.map(({ links }) => links.temporal.split('/').at(-1));
  const carriers = [...new Set(workflows)].filter((id) => id.startsWith('lane_'));
  expect(carriers.length).toBeGreaterThan(0);
  const terminate = (id: string) => client.workflow.getHandle(id).terminate('test');
  // One whose start is late is not there yet.
  await eventually(async () => (await Promise.allSettled(carriers.map(terminate))).some(isDone));
  await fleet.startWorker();
  expectOnceEach(await fleet.finalJobs(ids, 120_000), '/ended/');
});
