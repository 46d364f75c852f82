// What holds when workers die in the middle of their calls; faults.long.test.ts has the same at full size.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { eventually } from './testing/api.ts';
import { allPages, type Fleet, startFleet } from './testing/fleet.ts';
import { type Receiver, slowly, startReceiver } from './testing/receiver.ts';

const JOBS = 60;

let fleet: Fleet;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  fleet = await startFleet();
});
afterEach(() => fleet.killWorkers());
afterAll(async () => {
  await fleet.stop();
  await receiver.stop();
});

function submit(name: string, delivery: string): Promise<string[]> {
  receiver.on(`/${name}/`, slowly(1_500));
  return fleet.submit(JOBS, (n) => ({
    name,
    delivery,
    http: { method: 'POST', url: `${receiver.url}/${name}/${n}` },
    retry: { initialInterval: '100ms' },
  }));
}

function sendsOf(name: string) {
  return receiver.received.filter(({ path }) => path.startsWith(`/${name}/`));
}

function halfUnderWay(name: string) {
  return eventually(() => sendsOf(name).length >= JOBS / 2, { what: 'half of the calls are under way' });
}

describe('a worker killed in the middle of its calls', () => {
  test('atLeastOnce: nothing is lost, and what is sent again carries the same key', async () => {
    const worker = await fleet.startWorker();
    const ids = await submit('alo', 'atLeastOnce');
    await halfUnderWay('alo');
    await worker.end('SIGKILL');
    await fleet.startWorker();
    const jobs = await fleet.finalJobs(ids);
    expect(jobs.filter(({ status }) => status !== 'succeeded')).toEqual([]);
    for (const { path, headers } of sendsOf('alo')) {
      expect(headers['idempotency-key']).toBe(ids[Number(path.split('/')[2])]);
    }
    expect(sendsOf('alo').length).toBeLessThanOrEqual(2 * JOBS);
  });

  test('atMostOnce: nothing is sent twice; what was under way is unknown and in the dead letters', async () => {
    const worker = await fleet.startWorker();
    const ids = await submit('amo', 'atMostOnce');
    await halfUnderWay('amo');
    await worker.end('SIGKILL');
    await fleet.startWorker();
    const jobs = await fleet.finalJobs(ids);
    expect(new Set(sendsOf('amo').map(({ path }) => path)).size).toBe(sendsOf('amo').length);
    const unknown = jobs.filter(({ status }) => status === 'unknown');
    expect(unknown.length).toBeGreaterThan(0);
    expect(jobs.filter(({ status }) => status !== 'unknown' && status !== 'succeeded')).toEqual([]);
    const dead = new Set(
      (await allPages(fleet.api, '/v1/dead-letters?reason=outcomeUnknown')).map(({ jobId }) => jobId),
    );
    expect(unknown.filter(({ id }) => !dead.has(id))).toEqual([]);
  });
});

test('a worker told to stop cuts no call and repeats none', async () => {
  const worker = await fleet.startWorker();
  const ids = await submit('term', 'atLeastOnce');
  await halfUnderWay('term');
  expect(await worker.end('SIGTERM')).toBe(0);
  await fleet.startWorker();
  const jobs = await fleet.finalJobs(ids);
  expect(jobs.filter(({ status, attempts }) => status !== 'succeeded' || attempts !== 1)).toEqual([]);
  expect(sendsOf('term')).toHaveLength(JOBS);
});
