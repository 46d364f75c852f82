// Every method of the SDK against the real service: what the fake service of the other tests takes, the real one takes too.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { eventually } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { answer, type Receiver, startReceiver } from '../testing/receiver.ts';
import { type Batch, type BatchItem, isFinal, type Job, Perdure, type WorkerState, workflow } from './index.ts';

let instance: Instance;
let receiver: Receiver;
let perdure: Perdure;

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
  perdure = new Perdure({ baseUrl: instance.url });
});
afterAll(async () => {
  await instance.stop();
  await receiver.stop();
});

async function collect<Item>(list: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of list) items.push(item);
  return items;
}

const http = (path: string) => ({ url: `${receiver.url}${path}` });

test.concurrent('jobs: submit, get, wait, list, attempts', async () => {
  const job = await perdure.jobs.submit(
    { name: 'sdk', http: { ...http('/job'), body: { order: 42 } }, labels: { by: 'sdk' }, runAt: new Date() },
    { idempotencyKey: 'sdk-job', wait: true },
  );
  expect(job).toMatchObject({ name: 'sdk', status: 'succeeded', attempts: 1, result: { status: 200 } });
  expect(isFinal(job)).toBe(true);
  expect(await perdure.jobs.get(job.id)).toEqual(job);
  expect(await perdure.jobs.wait(job.id, { limit: '5s' })).toEqual(job);
  const listed = perdure.jobs.list({ name: 'sdk', status: ['succeeded', 'failed'], label: 'by:sdk', limit: 1 });
  expect((await collect(listed)).map(({ id }) => id)).toEqual([job.id]);
  expect(await collect(perdure.jobs.attempts(job.id))).toMatchObject([{ number: 1, outcome: 'answered' }]);
  await expect(perdure.jobs.get('job_nobody')).rejects.toMatchObject({ status: 404, code: 'notFound' });
});

test.concurrent('jobs: runNow and cancel, and their conflicts', async () => {
  const job = { http: http('/later'), delay: '1h' };
  const [hurried, canceled] = await Promise.all([perdure.jobs.submit(job), perdure.jobs.submit(job)]);
  expect((await perdure.jobs.runNow(hurried.id)).id).toBe(hurried.id);
  expect((await perdure.jobs.wait(hurried.id)).status).toBe('succeeded');
  expect((await perdure.jobs.cancel(canceled.id)).status).toBe('canceled');
  await expect(perdure.jobs.cancel(canceled.id)).rejects.toMatchObject({ status: 409, code: 'alreadyFinal' });
  await expect(perdure.jobs.runNow(canceled.id)).rejects.toMatchObject({ status: 409, code: 'notWaiting' });
});

test.concurrent('a refused job is a PerdureError that names the field', async () => {
  await expect(perdure.jobs.submit({ http: { url: 'ftp://example.com' } })).rejects.toMatchObject({
    status: 422,
    code: 'validationFailed',
    errors: [{ pointer: '/http/url' }],
    requestId: expect.any(String),
  });
});

test.concurrent('batches: create from an array and from a stream, get, wait, list, cancel', async () => {
  const items = ['a', 'b', 'c'].map((key) => ({ key, http: { query: { key } } }));
  const batch = await perdure.batches.create({ name: 'sdk-batch', defaults: { http: http('/batch') }, items });
  expect((await perdure.batches.wait(batch.id)).counts).toMatchObject({ total: 3, succeeded: 3 });
  expect((await perdure.batches.get(batch.id)).status).toBe('finished');
  async function* lines(): AsyncGenerator<BatchItem> {
    for (const key of ['x', 'y']) yield { key, http: http('/stream'), delay: '1h' };
  }
  const streamed: Batch = await perdure.batches.create({ name: 'sdk-stream', items: lines(), concurrency: 2 });
  await perdure.batches.cancel(streamed.id);
  expect(await perdure.batches.wait(streamed.id)).toMatchObject({ status: 'canceled', counts: { canceled: 2 } });
  expect((await collect(perdure.batches.list({ limit: 1 }))).map(({ id }) => id)).toEqual(
    expect.arrayContaining([batch.id, streamed.id]),
  );
});

test.concurrent('schedules: put, get, list, pause, resume, trigger, backfill, ticks, preview, delete', async () => {
  const put = await perdure.schedules.put('sdk', {
    cron: '0 3 * * *',
    timezone: 'Europe/Paris',
    job: { http: http('/s') },
  });
  expect(put).toMatchObject({ id: 'sdk', cron: '0 3 * * *', paused: false });
  expect(put.nextFireTimes).toHaveLength(5);
  expect((await perdure.schedules.get('sdk')).id).toBe('sdk');
  expect((await collect(perdure.schedules.list())).map(({ id }) => id)).toEqual(['sdk']);
  expect(await perdure.schedules.pause('sdk', { note: 'holidays' })).toMatchObject({ paused: true, note: 'holidays' });
  expect(await perdure.schedules.resume('sdk')).toMatchObject({ paused: false });
  const triggered = (await perdure.schedules.trigger('sdk')) as Job;
  expect(await perdure.jobs.wait(triggered.id)).toMatchObject({ status: 'succeeded', scheduleId: 'sdk' });
  const from = new Date('2026-03-01T00:00:00Z');
  expect(await perdure.schedules.backfill('sdk', { from, to: '2026-03-03T00:00:00Z', overlap: 'allowAll' })).toEqual({
    accepted: 2,
  });
  await eventually(async () => (await collect(perdure.schedules.ticks('sdk', { limit: 1 }))).length >= 3);
  const ticks = await collect(perdure.schedules.ticks('sdk', { from, to: new Date('2026-03-03T00:00:00Z') }));
  expect(ticks.map(({ nominalTime }) => nominalTime).sort()).toEqual(['2026-03-01T02:00:00Z', '2026-03-02T02:00:00Z']);
  const preview = { cron: '0 3 * * *', timezone: 'Europe/Paris', count: 2, from };
  expect((await perdure.schedules.preview(preview)).fireTimes).toHaveLength(2);
  await perdure.schedules.delete('sdk');
  await expect(perdure.schedules.get('sdk')).rejects.toMatchObject({ status: 404 });
});

const orderWorkflow = () =>
  workflow('sdk-order')
    .input<{ orderId: string }>({ type: 'object', required: ['orderId'] })
    .step('charge', ({ ref }) => ({ http: { ...http('/charge'), body: { order: ref('input.orderId') } } }))
    .step('approve', { dependsOn: ['charge'], waitFor: { signal: 'approval', timeout: '1h' } })
    .step('each', ({ expr }) => ({ dependsOn: ['approve'], forEach: expr('[1, 2]'), http: http('/each') }))
    .with(({ ref }) => ({ output: { ok: ref('steps.approve.output.ok') } }));

test.concurrent('workflows and runs: the whole life of one', async () => {
  const order = orderWorkflow();
  expect(await perdure.workflows.validate(order.definition())).toMatchObject({ valid: true });
  expect(await perdure.workflows.put(order)).toMatchObject({ name: 'sdk-order', version: 1 });
  expect(await perdure.workflows.get('sdk-order', { version: 1 })).toMatchObject({ version: 1 });
  expect((await perdure.workflows.get('sdk-order')).name).toBe('sdk-order');
  expect((await collect(perdure.workflows.list())).map(({ name }) => name)).toContain('sdk-order');
  expect(await perdure.workflows.graph('sdk-order')).toContain('charge');
  const run = await perdure.workflows.run(order, { input: { orderId: 'o-1' }, labels: { by: 'sdk' } });
  await eventually(async () => (await perdure.runs.get(run.id)).status === 'waiting');
  expect(await perdure.runs.pause(run.id)).toMatchObject({ id: run.id, status: 'paused' });
  expect((await perdure.runs.resume(run.id)).id).toBe(run.id);
  await perdure.runs.signal(run.id, 'approval', { ok: true });
  expect(await perdure.runs.wait(run.id)).toMatchObject({ status: 'succeeded', output: { ok: true } });
  expect(await collect(perdure.runs.items(run.id, 'each'))).toMatchObject([{ index: 0 }, { index: 1 }]);
  expect((await collect(perdure.runs.attempts(run.id))).length).toBe(3);
  const listed = await collect(perdure.runs.list({ workflow: 'sdk-order', status: 'succeeded', label: 'by:sdk' }));
  expect(listed.map(({ id }) => id)).toEqual([run.id]);
  const waiting = await perdure.workflows.run('sdk-order', { input: { orderId: 'o-2' } });
  expect(await perdure.runs.cancel(waiting.id)).toMatchObject({ id: waiting.id });
  expect((await perdure.runs.wait(waiting.id)).status).toBe('canceled');
  await perdure.workflows.delete('sdk-order');
  await expect(perdure.workflows.get('sdk-order')).rejects.toMatchObject({ status: 404 });
});

test.concurrent('runs: one inline that fails, and its redrive from the failed step', async () => {
  receiver.on('/broken', answer(404));
  const definition = {
    steps: [
      { id: 'good', http: http('/good') },
      { id: 'bad', dependsOn: ['good'], http: http('/broken') },
    ],
  };
  const failed = await perdure.runs.start({ definition }, { wait: true });
  expect(failed.status).toBe('failed');
  const mended = { steps: [definition.steps[0], { ...definition.steps[1], http: http('/mended') }] };
  const again = await perdure.runs.redrive(failed.id, { fromStep: 'bad', patch: { definition: mended } });
  expect(await perdure.runs.wait(again.id)).toMatchObject({ status: 'succeeded', redriveOf: failed.id });
  expect(receiver.at('/good')).toHaveLength(1);
});

test.concurrent('dead letters: list, get, redrive one and many, operation, abort, delete', async () => {
  receiver.on('/dead', answer(404));
  const dead = () => perdure.jobs.submit({ name: 'sdk-dead', http: http('/dead') }, { wait: true });
  await Promise.all([dead(), dead(), dead(), dead()]);
  const letters = await collect(perdure.deadLetters.list({ name: 'sdk-dead', redriven: false, kind: 'job', limit: 2 }));
  expect(letters).toHaveLength(4);
  const [first, second, third, fourth] = letters.map(({ id }) => id) as [string, string, string, string];
  expect(await perdure.deadLetters.get(first)).toMatchObject({ id: first, reason: 'nonRetryable', redrivenAs: null });
  const patch = { http: { url: `${receiver.url}/alive` } };
  const job = await perdure.deadLetters.redrive(first, { patch, newKey: true });
  expect((await perdure.jobs.wait(job.id)).status).toBe('succeeded');
  await expect(perdure.deadLetters.redrive(first)).rejects.toMatchObject({ status: 409, code: 'alreadyRedriven' });
  const bulk = await perdure.deadLetters.redriveMany({ ids: [first, second], patch, maxPerSecond: 50 });
  const ended = await eventually(async () => {
    const now = await perdure.deadLetters.operation(bulk.id);
    return now.status === 'running' ? null : now;
  });
  expect(ended).toMatchObject({ status: 'finished', counts: { total: 2, done: 1, skipped: 1, failed: 0 } });
  const slow = await perdure.deadLetters.redriveMany({ ids: [third, fourth], patch, maxPerSecond: 1 });
  expect(await perdure.deadLetters.abort(slow.id)).toMatchObject({ id: slow.id, status: 'aborted' });
  await perdure.deadLetters.delete(third);
  await expect(perdure.deadLetters.get(third)).rejects.toMatchObject({ status: 404 });
});

test.concurrent('whoami tells who we are without authentication', async () => {
  expect(await perdure.whoami()).toMatchObject({ tenant: 'default', scopes: expect.arrayContaining(['admin']) });
});

test.concurrent('events: an iterator of what happens from now on', async () => {
  await perdure.jobs.submit({ name: 'sdk-event', http: http('/event'), delay: '3s' });
  const signal = AbortSignal.timeout(30_000);
  const seen: string[] = [];
  for await (const { type, data } of perdure.events({ name: 'sdk-event' }, { signal })) {
    seen.push(`${type} ${String(data.name)}`);
    if (type === 'job.succeeded') break;
  }
  expect(seen.at(-1)).toBe('job.succeeded sdk-event');
});

test.concurrent('API keys: create, get, list, rotate, delete', async () => {
  const made = await perdure.apiKeys.create({ name: 'sdk', scopes: ['submit'], expiresIn: '1d' });
  expect(made.key).toMatch(/^perdure_/);
  expect((await perdure.apiKeys.get(made.id)).name).toBe('sdk');
  const rotated = await perdure.apiKeys.rotate(made.id);
  expect(rotated.key).not.toBe(made.key);
  expect((await collect(perdure.apiKeys.list())).map(({ name }) => name)).toContain('sdk');
  await perdure.apiKeys.delete(rotated.id);
});

// Not beside the others: nothing runs while the only worker is paused, or after it was drained.
test('workers and queues: list, get, pause, resume, drain', async () => {
  const [worker] = await collect(perdure.workers.list());
  const id = worker?.id ?? '';
  const hasState = (state: WorkerState) =>
    eventually(async () => (await collect(perdure.workers.list({ state }))).some((one) => one.id === id));
  const { taskQueue } = instance.config;
  expect((await collect(perdure.queues.list())).map(({ name }) => name)).toContain(taskQueue);
  expect(await perdure.queues.pause(taskQueue)).toMatchObject({ name: taskQueue, paused: true });
  expect(await perdure.queues.resume(taskQueue)).toMatchObject({ paused: false });
  expect((await perdure.workers.get(id)).id).toBe(id);
  expect((await perdure.workers.pause(id)).id).toBe(id);
  await hasState('paused');
  await perdure.workers.resume(id);
  await hasState('available');
  await perdure.workers.drain(id);
  await hasState('drained');
});
