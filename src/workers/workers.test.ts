// A worker and its queue as an operator sees and steers them, in one process with the API.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type Api, createApi, eventually, type Json } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { type Receiver, slowly, startReceiver } from '../testing/receiver.ts';

let instance: Instance;
let api: Api;
let receiver: Receiver;
let queue: string;
beforeAll(async () => {
  receiver = await startReceiver();
  instance = await startInstance({ PERDURE_WORKER_ID: 'w1' });
  api = createApi(instance.url);
  queue = `/v1/queues/${instance.config.taskQueue}`;
});
afterAll(async () => {
  await instance.stop();
  await receiver.stop();
});

function callsOf(name: string): number {
  return receiver.received.filter(({ path }) => path.startsWith(`/${name}`)).length;
}

async function submit(name: string, more: object = {}, headers: Record<string, string> = {}): Promise<Json> {
  const { status, body } = await api.post('/v1/jobs', { http: { url: `${receiver.url}/${name}` }, ...more }, headers);
  expect(status).toBe(201);
  return body;
}

function statusOf(id: string): Promise<string> {
  return api.get(`/v1/jobs/${id}`).then(({ body }) => body.status);
}

function stateIs(state: string): Promise<Json> {
  return eventually(
    async () => {
      const { body } = await api.get('/v1/workers/w1');
      return body.state === state && body;
    },
    { what: `the worker is ${state}` },
  );
}

function succeeded(id: string): Promise<boolean> {
  return eventually(async () => (await statusOf(id)) === 'succeeded', { what: `${id} has succeeded` });
}

/** Long enough for whoever takes work to have taken it. */
async function nothingStarts(name: string, ids: string[]): Promise<void> {
  const until = Date.now() + 1_500;
  await eventually(async () => {
    expect(callsOf(name)).toBe(0);
    expect(await Promise.all(ids.map(statusOf))).toEqual(ids.map(() => 'queued'));
    return Date.now() > until;
  });
}

describe('a worker', () => {
  test('is listed with all there is to know, and counts what it did', async () => {
    await stateIs('available');
    const good = await submit('seen', {}, { prefer: 'wait=10' });
    const bad = await submit('seen', {
      http: { url: `${receiver.url}/seen`, successOn: [500] },
      retry: { maxAttempts: 1 },
    });
    await eventually(async () => (await statusOf(bad.id)) === 'failed');
    const seen = await eventually(async () => {
      const { body } = await api.get('/v1/workers');
      return body.items[0]?.counts.failed === 1 && body;
    });
    const { config } = instance;
    expect(seen).toEqual({
      items: [
        {
          id: 'w1',
          identity: 'w1',
          host: expect.any(String) as string,
          pid: process.pid,
          version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
          roles: ['worker'],
          state: expect.stringMatching(/^(available|busy)$/) as string,
          queues: [config.taskQueue],
          slots: {
            activities: { used: expect.any(Number) as number, max: config.concurrency },
            workflows: { used: expect.any(Number) as number, max: 200 },
          },
          counts: { done: 1, failed: 1 },
          startedAt: expect.stringMatching(/Z$/) as string,
          lastHeartbeat: expect.stringMatching(/Z$/) as string,
        },
      ],
      nextCursor: null,
    });
    const { body } = await api.get(`/v1/jobs/${good.id}/attempts`);
    expect(body.items.map((attempt: Json) => attempt.worker)).toEqual(['w1']);
  });

  test('is busy while a call is under way', async () => {
    receiver.on('/slow', slowly(3_000));
    const { id } = await submit('slow');
    const { slots } = await stateIs('busy');
    expect(slots.activities.used + slots.workflows.used).toBeGreaterThan(0);
    await succeeded(id);
  });

  test('paused takes nothing, lets its calls end, and goes on where it was', async () => {
    receiver.on('/ending', slowly(2_000));
    const ending = await submit('ending');
    await eventually(() => callsOf('ending') === 1);
    expect((await api.post('/v1/workers/w1/pause')).status).toBe(202);
    await stateIs('paused');
    const waiting = [await submit('paused'), await submit('paused', { delivery: 'atMostOnce' })];
    const batch = await api.post('/v1/batches', {
      items: [1, 2, 3].map(() => ({ http: { url: `${receiver.url}/paused` } })),
    });
    await succeeded(ending.id);
    await nothingStarts(
      'paused',
      waiting.map(({ id }) => id),
    );
    expect((await api.get(queue)).body).toMatchObject({ paused: false, backlog: 5, workers: 1 });

    expect((await api.post('/v1/workers/w1/resume')).status).toBe(202);
    await stateIs('available');
    for (const { id } of waiting) await succeeded(id);
    await eventually(async () => (await api.get(`/v1/batches/${batch.body.id}`)).body.status === 'finished');
    expect(callsOf('paused')).toBe(5);
    expect(callsOf('ending')).toBe(1);
  });

  test('resumes at once, even while a call from before the pause is under way', async () => {
    const answers: (() => void)[] = [];
    receiver.on('/long', (_request, response) => void answers.push(() => response.end()));
    const long = await submit('long', { http: { url: `${receiver.url}/long`, timeout: '2m' } });
    await eventually(() => callsOf('long') === 1);
    await api.post('/v1/workers/w1/pause');
    const { slots } = await stateIs('paused');
    expect(slots.activities.used).toBe(1);
    await api.post('/v1/workers/w1/resume');
    const { id } = await submit('beside');
    await succeeded(id);
    expect(await statusOf(long.id)).toBe('running');
    answers.forEach((end) => end());
    await succeeded(long.id);
    expect(callsOf('long')).toBe(1);
  });
});

describe('a queue', () => {
  test('is listed with its backlog', async () => {
    const body = await eventually(async () => {
      const { body: shown } = await api.get('/v1/queues');
      // What it is, is looked at now and then.
      return shown.items[0]?.backlog === 0 && shown;
    });
    expect(body).toEqual({
      items: [{ name: instance.config.taskQueue, paused: false, backlog: 0, oldestAgeSeconds: null, workers: 1 }],
      nextCursor: null,
    });
  });

  test('paused accepts jobs and starts none; resumed it catches up', async () => {
    const paused = await api.post(`${queue}/pause`);
    expect([paused.status, paused.body.paused]).toEqual([202, true]);
    await stateIs('paused');
    const jobs = await Promise.all(Array.from({ length: 20 }, () => submit('queued')));
    await nothingStarts(
      'queued',
      jobs.map(({ id }) => id),
    );
    const shown = await eventually(async () => {
      const { body } = await api.get(queue);
      return body.backlog === 20 && body;
    });
    expect(shown.oldestAgeSeconds).toBeGreaterThan(0);

    expect((await api.post(`${queue}/resume`)).body.paused).toBe(false);
    for (const { id } of jobs) await succeeded(id);
    expect(callsOf('queued')).toBe(20);
    await eventually(async () => (await api.get(queue)).body.backlog === 0);
  });
});

describe('refused', () => {
  test.each([
    ['GET', '/v1/workers/nobody', 404],
    ['POST', '/v1/workers/nobody/pause', 404],
    ['POST', '/v1/queues/none/pause', 404],
    ['POST', '/v1/queues/a%00b/pause', 404],
    ['GET', '/v1/workers?state=asleep', 422],
    ['GET', '/v1/queues?name=x', 422],
  ])('%s %s', async (method, path, status) => {
    expect((await api.call(method, path)).status).toBe(status);
  });
});

test('a drained worker ends its calls and leaves the list; the API stays', async () => {
  receiver.on('/last', slowly(1_000));
  const last = await submit('last');
  await eventually(() => callsOf('last') === 1);
  const drained = await api.post('/v1/workers/w1/drain');
  expect([drained.status, drained.body.state]).toEqual([202, 'draining']);
  expect((await api.post('/v1/workers/w1/resume')).body.code).toBe('workerEnded');
  await stateIs('drained');
  expect(await statusOf(last.id)).toBe('succeeded');
  expect((await api.get('/v1/workers')).body.items).toEqual([]);
  expect((await api.get('/v1/workers?state=drained&state=gone')).body.items).toHaveLength(1);
  expect((await api.post('/v1/workers/w1/drain')).status).toBe(409);
  const after = await submit('after');
  await nothingStarts('after', [after.id]);
});
