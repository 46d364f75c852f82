// What is done to runs from outside, and what time does to them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type Api, createApi, eventually, type Json } from '../../testing/api.ts';
import { type Instance, startInstance } from '../../testing/instance.ts';
import { answer, type Receiver, startReceiver } from '../../testing/receiver.ts';
import { createRunTools, JSON_ANSWER, statuses, stepOf, unique } from '../../testing/runs.ts';

let instance: Instance;
let receiver: Receiver;
let api: Api;
const { define, start, ended, read } = createRunTools(() => api);

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
  api = createApi(instance.url);
});
afterAll(async () => {
  await instance?.stop();
  await receiver?.stop();
});

const http = (path: string, more: Json = {}) => ({ url: `${receiver.url}${path}`, ...more });
const hang = () => {};

describe('signals', () => {
  test('one that comes early is remembered, each is taken once, and its schema is checked at the door', async () => {
    const schema = { type: 'object', required: ['n'] };
    const run = await start({
      steps: [
        { id: 'first', wait: { for: '300ms' } },
        { id: 'one', dependsOn: ['first'], waitFor: { signal: 'go', schema } },
        { id: 'two', dependsOn: ['one'], waitFor: { signal: 'go', timeout: '50ms', onTimeout: 'continue' } },
        { id: 'three', dependsOn: ['two'], waitFor: { signal: 'other', timeout: '50ms' } },
      ],
    });
    expect((await api.post(`/v1/runs/${run.id}/signals/go`, { m: 1 })).status).toBe(422);
    expect((await api.post(`/v1/runs/${run.id}/signals/unknown`, {})).status).toBe(404);
    expect((await api.post(`/v1/runs/${run.id}/signals/go`, { n: 1 })).status).toBe(202);
    const done = await ended(run.id);
    expect(stepOf(done, 'one')).toMatchObject({ status: 'succeeded', output: { n: 1 } });
    expect(stepOf(done, 'two')).toMatchObject({ status: 'succeeded', output: null });
    expect(stepOf(done, 'three')).toMatchObject({ status: 'failed', error: { code: 'signalTimeout' } });
    expect((await api.post(`/v1/runs/${run.id}/signals/go`, { n: 1 })).body.code).toBe('alreadyFinal');
  });
});

describe('cancel', () => {
  test('cuts off the call under way, undoes nothing, and reaches the runs below', async () => {
    const path = unique('/cancel');
    receiver.on(`${path}/hang`, hang);
    const child = await define({ steps: [{ id: 'inner', waitFor: { signal: 'never' } }] });
    const run = await start({
      steps: [
        { id: 'done', transform: 1, compensate: { http: http(`${path}/undo`) } },
        { id: 'hang', http: http(`${path}/hang`, { timeout: '60s' }) },
        { id: 'below', workflow: { name: child } },
        { id: 'later', dependsOn: ['hang'], transform: 1 },
      ],
    });
    await eventually(() => receiver.at(`${path}/hang`).length === 1);
    const { childRunId } = await eventually(async () => {
      const below = stepOf(await read(run.id), 'below');
      return below.childRunId && (await read(below.childRunId)).status === 'waiting' ? below : null;
    });
    const canceled = await api.post(`/v1/runs/${run.id}/cancel`);
    expect(canceled.body).toMatchObject({ status: 'canceled', error: { code: 'canceled' } });
    expect(statuses(canceled.body)).toEqual({
      done: 'succeeded',
      hang: 'canceled',
      below: 'canceled',
      later: 'canceled',
    });
    expect((await api.post(`/v1/runs/${run.id}/cancel`)).status).toBe(409);
    expect(await ended(childRunId)).toMatchObject({ status: 'canceled', parentRunId: run.id });
    expect(receiver.at(`${path}/undo`)).toHaveLength(0);
    expect((await api.get(`/v1/dead-letters?kind=run`)).body.items.map((one: Json) => one.runId)).not.toContain(run.id);
  });
});

describe('pause', () => {
  test('lets the call under way end and starts nothing new until it is resumed', async () => {
    const path = unique('/pause');
    let finish = () => {};
    receiver.on(`${path}/one`, (_request, response) => {
      finish = () => void response.writeHead(200).end();
    });
    const run = await start({
      steps: [
        { id: 'one', http: http(`${path}/one`, { timeout: '30s' }) },
        { id: 'two', dependsOn: ['one'], http: http(`${path}/two`) },
      ],
    });
    await eventually(() => receiver.at(`${path}/one`).length === 1);
    const paused = await api.post(`/v1/runs/${run.id}/pause`);
    expect(paused.body).toMatchObject({ status: 'paused' });
    // The workflow has heard of it once it has taken the news.
    const heard = 'select nudged_at is null as heard from runs where id = $1';
    await eventually(async () => (await instance.services.db.query<Json>(heard, [run.id]))[0].heard);
    finish();
    await eventually(async () => stepOf(await read(run.id), 'one').status === 'succeeded');
    expect(statuses(await read(run.id))).toEqual({ one: 'succeeded', two: 'pending' });
    expect((await api.get('/v1/runs?status=paused')).body.items.map((one: Json) => one.id)).toContain(run.id);
    expect((await api.post(`/v1/runs/${run.id}/resume`)).body.status).not.toBe('paused');
    expect(await ended(run.id)).toMatchObject({ status: 'succeeded' });
  });
});

test('a step that was about to start when the run was paused has not started', async () => {
  const path = unique('/quick');
  let finish = () => {};
  receiver.on(`${path}/one`, (_request, response) => {
    finish = () => void response.writeHead(200).end();
  });
  const run = await start({
    steps: [
      { id: 'one', http: http(`${path}/one`) },
      { id: 'two', dependsOn: ['one'], http: http(`${path}/two`) },
    ],
  });
  await eventually(() => receiver.at(`${path}/one`).length === 1);
  await api.post(`/v1/runs/${run.id}/pause`);
  // The workflow is still in the task in which it made the call, and would go on at once.
  finish();
  const heard = 'select nudged_at is null as heard from runs where id = $1';
  await eventually(async () => (await instance.services.db.query<Json>(heard, [run.id]))[0].heard);
  expect(statuses(await read(run.id))).toEqual({ one: 'succeeded', two: 'pending' });
  expect(receiver.at(`${path}/two`)).toHaveLength(0);
  await api.post(`/v1/runs/${run.id}/resume`);
  expect(await ended(run.id)).toMatchObject({ status: 'succeeded' });
  expect(receiver.at(`${path}/two`)).toHaveLength(1);
});

describe('time', () => {
  test('a run past its deadline is expired, with a dead letter, and its call is cut off', async () => {
    const path = unique('/late');
    receiver.on(`${path}/hang`, hang);
    const steps = [{ id: 'hang', http: http(`${path}/hang`, { timeout: '60s' }) }];
    const done = await ended((await start({ steps }, { deadline: '1s' })).id);
    expect(done).toMatchObject({ status: 'expired', error: { code: 'deadlineExceeded' } });
    expect(Date.parse(done.finishedAt) - Date.parse(done.createdAt)).toBeLessThan(5_000);
    const { body } = await api.get('/v1/dead-letters?reason=deadlineExceeded&kind=run');
    expect(body.items.map((one: Json) => one.runId)).toContain(done.id);
  });

  test('a run with a delay is scheduled until then', async () => {
    const run = await start({ steps: [{ id: 'a', transform: 1 }] }, { delay: '500ms' });
    expect(run).toMatchObject({ status: 'scheduled' });
    const done = await ended(run.id);
    expect(Date.parse(done.startedAt) - Date.parse(done.createdAt)).toBeGreaterThanOrEqual(490);
  });
});

describe('around a run', () => {
  test('a key makes one run, also of an inline definition', async () => {
    const body = { definition: { steps: [{ id: 'a', transform: '${ input }' }] }, input: 1 };
    const key = { 'idempotency-key': unique('key') };
    const first = await api.post('/v1/runs', body, key);
    const second = await api.post('/v1/runs', body, key);
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.text).toBe(first.text);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect((await api.post('/v1/runs', { ...body, input: 2 }, key)).body.code).toBe('idempotencyKeyReused');
    const waited = await api.post('/v1/runs', { ...body, input: 3 }, { prefer: 'wait=20' });
    expect(waited.body).toMatchObject({ status: 'succeeded', workflow: null, version: null });
    expect(stepOf(waited.body, 'a')).toMatchObject({ output: 3 });
  });

  test('its end is told by a webhook, and releases a job that depends on it', async () => {
    const path = unique('/end');
    const run = await start({
      steps: [{ id: 'a', wait: { for: '300ms' } }],
      notify: [{ on: ['succeeded'], webhook: { url: `${receiver.url}${path}/hook` } }],
    });
    const job = await api.post('/v1/jobs', { http: http(`${path}/job`), dependsOn: [run.id] });
    expect(job.body, job.text).toMatchObject({ status: 'blocked' });
    await ended(run.id);
    const [hook] = await eventually(() => receiver.at(`${path}/hook`).length > 0 && receiver.at(`${path}/hook`));
    expect(JSON.parse(hook!.body)).toMatchObject({ type: 'run.succeeded', data: { id: run.id, steps: [{ id: 'a' }] } });
    await eventually(() => receiver.at(`${path}/job`).length === 1);
  });

  test('one whose workflow is terminated from outside is failed, with a dead letter', async () => {
    const run = await start({ steps: [{ id: 'a', waitFor: { signal: 'never' } }] });
    await eventually(async () => (await read(run.id)).status === 'waiting');
    await instance.services.client.workflow.getHandle(run.id).terminate('a test');
    await instance.services.db.query('update runs set check_at = now() where id = $1', [run.id]);
    expect(await ended(run.id)).toMatchObject({ status: 'failed', error: { code: 'terminatedExternally' } });
  });

  test('a definition is stored in versions, and a run keeps the one it started with', async () => {
    const steps = [{ id: 'a', transform: 'v1' }];
    const name = await define({ steps });
    expect((await api.put(`/v1/workflows/${name}`, { steps })).status).toBe(200);
    const second = await api.put(`/v1/workflows/${name}`, {
      steps: [{ id: 'a', transform: 'v2' }],
      description: 'new',
    });
    expect([second.status, second.body.version]).toEqual([201, 2]);
    const old = await api.post(`/v1/workflows/${name}/runs`, { version: 1 }, { prefer: 'wait=20' });
    expect(stepOf(old.body, 'a')).toMatchObject({ output: 'v1' });
    const graph = await api.get(`/v1/workflows/${name}/graph`);
    expect(graph.headers.get('content-type')).toContain('text/plain');
    expect(graph.text).toContain('flowchart TD');
    const bad = await api.post('/v1/workflows/validate', {
      steps: [
        { id: 'a', dependsOn: ['b'], transform: 1 },
        { id: 'b', dependsOn: ['a'], http: { url: 'ftp://x' } },
      ],
    });
    expect(bad.status).toBe(422);
    expect(bad.body.errors.map((fault: Json) => fault.pointer)).toContain('/steps/1/http/url');
    expect((await api.delete(`/v1/workflows/${name}`)).status).toBe(204);
    expect((await api.get(`/v1/workflows/${name}`)).status).toBe(404);
    expect((await api.get('/v1/workflows')).body.items.map((one: Json) => one.name)).not.toContain(name);
  });

  test('an output above 64 KiB fails its step', async () => {
    const path = unique('/large');
    receiver.on(path, answer(200, JSON_ANSWER, JSON.stringify('x'.repeat(70_000))));
    const done = await ended((await start({ steps: [{ id: 'a', http: http(path) }] })).id);
    expect(done).toMatchObject({ status: 'failed' });
    expect(stepOf(done, 'a')).toMatchObject({ status: 'failed', error: { code: 'outputTooLarge' }, output: null });
  });

  test('outputs too large to travel with their step are there when an expression asks', async () => {
    const path = unique('/big');
    receiver.on(path, answer(200, JSON_ANSWER, JSON.stringify({ text: 'y'.repeat(30_000), n: 5 })));
    const done = await ended(
      (await start({ steps: [{ id: 'a', http: http(path) }], output: '${ steps.a.output.n }' })).id,
    );
    expect(done).toMatchObject({ status: 'succeeded', output: 5 });
  });
});
