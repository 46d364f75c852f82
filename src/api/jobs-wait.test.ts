// Jobs that wait, for their time or for others, and jobs that are canceled while they do.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Api, createApi, eventually, type Json } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { createJobDriver, type JobDriver } from '../testing/job-driver.ts';
import { answer, type Receiver, startReceiver } from '../testing/receiver.ts';

let instance: Instance;
let receiver: Receiver;
let api: Api;
let jobs: JobDriver;

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
  api = createApi(instance.url);
  jobs = createJobDriver(api, receiver);
});
afterAll(async () => {
  await instance.stop();
  await receiver.stop();
});

const fast = { initialInterval: '50ms', maxInterval: '400ms', jitter: 0 };

describe.concurrent('time', () => {
  it('keeps a job with a delay or a runAt scheduled until then', async () => {
    const runAt = new Date(Date.now() + 1_200).toISOString();
    const [delayed, timed] = await Promise.all([
      jobs.submit('/delayed', {}, { delay: '1s' }),
      jobs.submit('/timed', {}, { runAt }),
    ]);
    expect([delayed.status, timed.status]).toEqual(['scheduled', 'scheduled']);
    expect(timed.runAt).toBe(runAt);
    expect(Date.parse(delayed.runAt) - Date.parse(delayed.createdAt)).toBe(1_000);
    await Promise.all([jobs.ended(delayed), jobs.ended(timed)]);
    expect(Number(receiver.at('/timed')[0]?.at)).toBeGreaterThanOrEqual(Date.parse(runAt) - 5);
    expect(Number(receiver.at('/delayed')[0]?.at)).toBeGreaterThanOrEqual(Date.parse(delayed.runAt) - 5);
  });

  it('is now for a job that is told so, and only while it waits', async () => {
    const { id } = await jobs.submit('/sooner', {}, { delay: '1h' });
    const [first, second] = await Promise.all([
      api.post(`/v1/jobs/${id}/run-now`, {}),
      api.post(`/v1/jobs/${id}/run-now`),
    ]);
    expect([first.status, second.status].sort()).toEqual([200, 409]);
    expect((await jobs.ended({ id })).status).toBe('succeeded');
    expect(receiver.at('/sooner')).toHaveLength(1);
  });

  it('runs out in a call, in a wait for a retry, and while blocked', async () => {
    void jobs.hang('/late-call');
    receiver.on('/late-retry', answer(503));
    const parent = await jobs.submit('/late-parent', {}, { delay: '1h' });
    const late = await Promise.all([
      jobs.run('/late-call', { timeout: '30s' }, { deadline: '3s', retry: fast }),
      jobs.run('/late-retry', {}, { deadline: '3s', retry: { initialInterval: '1h', maxInterval: '1h' } }),
      jobs.run('/late-blocked', {}, { deadline: '600ms', dependsOn: [parent.id] }),
    ]);
    for (const job of late) {
      expect(job).toMatchObject({ status: 'expired', error: { code: 'deadlineExceeded' }, nextAttemptAt: null });
      expect(Date.parse(job.finishedAt) - Date.parse(job.createdAt)).toBeLessThan(12_000);
    }
    expect(receiver.at('/late-blocked')).toHaveLength(0);
    expect(receiver.at('/late-retry')).toHaveLength(1);
  });

  it('of a deadline counts from the time the job is to run', async () => {
    const deadline = '500ms';
    const { id, runAt } = await jobs.submit('/in-time', {}, { delay: '1h', deadline });
    const blocked = await jobs.submit('/in-time', {}, { dependsOn: [id], deadline });
    expect((await jobs.ended(blocked)).status).toBe('expired');
    const job = await jobs.get(id);
    expect(job).toMatchObject({ status: 'scheduled', deadline });
    expect(Date.parse(job.deadlineAt) - Date.parse(runAt)).toBe(500);
  });
});

describe.concurrent('a cancel', () => {
  const cancel = (id: string) => api.post(`/v1/jobs/${id}/cancel`);

  it('ends a job that waits for its time, for a retry or for another job', async () => {
    receiver.on('/cancel-retry', answer(503));
    const scheduled = await jobs.submit('/cancel-scheduled', {}, { delay: '2s' });
    const retrying = await jobs.submit('/cancel-retry', {}, { retry: { initialInterval: '2s' } });
    const blocked = await jobs.submit('/cancel-blocked', {}, { dependsOn: [scheduled.id] });
    await jobs.reach(retrying.id, 'retrying');
    for (const { id } of [blocked, scheduled, retrying]) {
      const { status, body } = await cancel(id);
      expect(status).toBe(200);
      expect(body).toMatchObject({ id, status: 'canceled', error: { code: 'canceled' }, nextAttemptAt: null });
      expect(body.finishedAt).not.toBeNull();
      expect(await cancel(id)).toMatchObject({ status: 409, body: { code: 'alreadyFinal' } });
    }
    const after = await jobs.submit('/cancel-later', {}, { delay: '2500ms' });
    await jobs.ended(after);
    expect(receiver.at('/cancel-scheduled')).toHaveLength(0);
    expect(receiver.at('/cancel-retry')).toHaveLength(1);
  });

  it.each(['10s', '30s'])('cuts a call off in its middle (timeout %s)', async (timeout) => {
    const path = `/cancel-mid-${timeout}`;
    const hungUp = jobs.hang(path);
    const { id } = await jobs.submit(path, { timeout });
    await eventually(() => hungUp.length === 1);
    expect((await jobs.get(id)).status).toBe('running');
    const startedAt = Date.now();
    expect((await cancel(id)).body.status).toBe('canceled');
    await hungUp[0];
    expect(Date.now() - startedAt).toBeLessThan(3_000);
    expect(await jobs.attemptsOf({ id })).toMatchObject([{ outcome: 'unknown', finishedAt: expect.any(String) }]);
    expect((await jobs.get(id)).status).toBe('canceled');
    expect(receiver.at(path)).toHaveLength(1);
    const letters = await api.get('/v1/dead-letters?limit=200');
    expect(letters.body.items.map(({ jobId }: Json) => jobId)).not.toContain(id);
  });

  it('wins or loses as a whole: 20 at once are one', async () => {
    const { id } = await jobs.submit('/cancel-many', {}, { delay: '1h' });
    const statuses = (await Promise.all(Array.from({ length: 20 }, () => cancel(id)))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(19);
  });

  it('of what is final, or not there, is refused', async () => {
    const job = await jobs.run('/cancel-done');
    expect((await cancel(job.id)).status).toBe(409);
    expect((await cancel('job_nobody')).status).toBe(404);
  });
});

it.concurrent('takes every priority', async () => {
  const late = await Promise.all([1, 2, 3, 4, 5].map((priority) => jobs.run('/priority', {}, { priority })));
  expect(late.map(({ priority, status }) => [priority, status])).toEqual([1, 2, 3, 4, 5].map((p) => [p, 'succeeded']));
});

describe.concurrent('a job that depends on others', () => {
  it('waits, link by link, in a chain of 100', async () => {
    const ids = [(await jobs.submit('/chain/0', {}, { delay: '1h' })).id];
    for (let n = 1; n < 100; n++) {
      const job = await jobs.submit(`/chain/${n}`, {}, { dependsOn: [ids[n - 1]] });
      expect(job.status).toBe('blocked');
      ids.push(job.id);
    }
    await api.post(`/v1/jobs/${ids[0]}/run-now`);
    expect((await jobs.ended({ id: ids[99] })).status).toBe('succeeded');
    const order = receiver.received.filter(({ path }) => path.startsWith('/chain/')).map(({ path }) => path);
    expect(order).toEqual(ids.map((_id, n) => `/chain/${n}`));
  });

  it('waits for all of 200, and runs once', async () => {
    const parents = await Promise.all(Array.from({ length: 200 }, () => jobs.submit('/fan', {}, { delay: '1s' })));
    const job = await jobs.submit('/fan-in', {}, { dependsOn: parents.map(({ id }) => id) });
    expect(job.status).toBe('blocked');
    const done = await jobs.ended(job);
    expect(done.status).toBe('succeeded');
    const [call, ...more] = receiver.at('/fan-in');
    expect(more).toEqual([]);
    const calls = receiver.at('/fan');
    expect(calls).toHaveLength(200);
    expect(Math.max(...calls.map(({ at }) => at))).toBeLessThanOrEqual(Number(call?.at));
  });

  it.each([
    ['failed', 'fails first', false],
    ['failed', 'failed before', true],
  ])('is canceled, or runs anyway, when one %s (%s)', async (_status, name, before) => {
    const path = `/parent-${before}`;
    receiver.on(path, answer(404));
    const parent = await jobs.submit(path, {}, before ? {} : { delay: '1s' });
    if (before) await jobs.ended(parent);
    const dependsOn = [parent.id];
    const child = await jobs.submit('/child', {}, { dependsOn, name });
    const grandchild = await jobs.submit('/child', {}, { dependsOn: [child.id] });
    const anyway = await jobs.submit('/anyway', {}, { dependsOn, onDependencyFailure: 'run' });
    expect(await jobs.ended(child)).toMatchObject({
      ...{ status: 'canceled', attempts: 0 },
      error: { code: 'dependencyFailed', detail: expect.stringContaining(parent.id) },
    });
    expect(await jobs.ended(grandchild)).toMatchObject({ status: 'canceled', error: { code: 'dependencyFailed' } });
    expect(await jobs.ended(anyway)).toMatchObject({ status: 'succeeded' });
    const letters = await api.get(`/v1/dead-letters?name=${encodeURIComponent(name)}`);
    expect(letters.body.items).toEqual([]);
  });

  it('is canceled with its parent', async () => {
    const parent = await jobs.submit('/canceled-parent', {}, { delay: '1h' });
    const child = await jobs.submit('/child-of-canceled', {}, { dependsOn: [parent.id] });
    await api.post(`/v1/jobs/${parent.id}/cancel`);
    expect(await jobs.ended(child)).toMatchObject({ status: 'canceled', error: { code: 'dependencyFailed' } });
  });

  it('starts at once when all have succeeded, and waits for its own time after that', async () => {
    const parent = await jobs.run('/done-parent');
    const now = await jobs.submit('/after-done', {}, { dependsOn: [parent.id] });
    expect(now.status).toBe('queued');
    const later = await jobs.submit('/after-done', {}, { dependsOn: [parent.id], delay: '1h' });
    expect(later.status).toBe('scheduled');
    expect((await jobs.ended(now)).status).toBe('succeeded');
    const timed = await jobs.submit('/timed-parent', {}, { delay: '300ms' });
    const child = await jobs.submit('/timed-child', {}, { dependsOn: [timed.id], delay: '1h' });
    await jobs.ended(timed);
    await jobs.reach(child.id, 'scheduled');
  });

  it('is refused when it names a job that is not there, or one twice', async () => {
    const { id } = await jobs.submit('/known-parent', {}, { delay: '1h' });
    const spec = { http: { url: receiver.url }, dependsOn: [id, 'job_nobody'] };
    const unknown = await api.post('/v1/jobs', spec);
    expect(unknown).toMatchObject({ status: 422, body: { errors: [{ pointer: '/dependsOn/1' }] } });
    const twice = await api.post('/v1/jobs', { ...spec, dependsOn: [id, id] });
    expect(twice).toMatchObject({ status: 422, body: { errors: [{ pointer: '/dependsOn/1' }] } });
  });
});
