// Settings at run time: what is refused, what holds, that it holds in every part of the service, and how it is undone.
import type { ServerResponse } from 'node:http';

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { type Api, createApi, eventually } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';

let perdure: Instance;
let api: Api;
let receiver: Receiver;

beforeAll(async () => {
  [perdure, receiver] = await Promise.all([startInstance(), startReceiver()]);
  api = createApi(perdure.url);
});
afterEach(async () => {
  await set({ concurrency: null, logLevel: null, egress: null, retention: null, httpLimits: null });
});
afterAll(async () => {
  await perdure.stop();
  await receiver.stop();
});

const set = async (patch: unknown) => {
  const { status, body } = await api.patch('/v1/settings', patch);
  expect(status).toBe(200);
  return body;
};
const submit = async (path: string, http: object = {}) =>
  (await api.post('/v1/jobs', { http: { url: `${receiver.url}${path}`, ...http }, retry: { maxAttempts: 1 } })).body;
const final = async (id: string) => (await api.get(`/v1/jobs/${id}?wait=20s`)).body;

test('200: the values that hold, where each is from, and null gives one back', async () => {
  const before = (await api.get('/v1/settings')).body;
  expect(before).toMatchObject({
    concurrency: 200,
    logLevel: 'error',
    egress: 'any',
    retention: '30d',
    httpLimits: { maxResponseBytes: 65_536, maxTimeout: '10m' },
    sources: { concurrency: 'default', logLevel: 'environment', egress: 'environment', retention: 'default' },
  });
  const changed = await set({ concurrency: 7, retention: '7d', httpLimits: { maxTimeout: '5s' } });
  expect(changed).toMatchObject({
    concurrency: 7,
    httpLimits: { maxResponseBytes: 65_536, maxTimeout: '5s' },
    sources: { concurrency: 'setting', httpLimits: { maxResponseBytes: 'default', maxTimeout: 'setting' } },
    updatedAt: expect.any(String) as string,
  });
  expect((await api.get('/v1/settings')).body).toEqual(changed);
  const undone = await set({ concurrency: null, httpLimits: { maxTimeout: null } });
  expect(undone).toMatchObject({ concurrency: 200, retention: '7d', httpLimits: { maxTimeout: '10m' } });
});

test.each([
  [{ concurrency: 0 }, '/concurrency'],
  [{ concurrency: '5' }, '/concurrency'],
  [{ logLevel: 'loud' }, '/logLevel'],
  [{ egress: 'everyone' }, '/egress'],
  [{ retention: '5m' }, '/retention'],
  [{ retention: 30 }, '/retention'],
  [{ httpLimits: { maxTimeout: '11m' } }, '/httpLimits/maxTimeout'],
  [{ httpLimits: { maxResponseBytes: 100_000 } }, '/httpLimits/maxResponseBytes'],
  [{ httpLimits: { redirects: 3 } }, '/httpLimits/redirects'],
  [{ colour: 'red' }, '/colour'],
])('422: %j', async (patch, pointer) => {
  const { status, body } = await api.patch('/v1/settings', patch);
  expect([status, body.errors[0]?.pointer]).toEqual([422, pointer]);
});

test('concurrency bounds the calls under way, of jobs and batches together, and what waits is lost to nothing', async () => {
  const open = new Set<ServerResponse>();
  let most = 0;
  receiver.on('/held', (_request, response) => {
    most = Math.max(most, open.add(response).size);
    response.once('close', () => open.delete(response));
  });
  const answerAll = () => open.forEach((response) => response.writeHead(200).end());
  await set({ concurrency: 2 });
  const items = Array.from({ length: 6 }, () => ({ http: { url: `${receiver.url}/held` } }));
  const batch = (await api.post('/v1/batches', { items })).body;
  const jobs = await Promise.all(Array.from({ length: 6 }, () => submit('/held')));
  await eventually(() => open.size === 2);
  await set({ concurrency: 5 });
  await eventually(() => open.size === 5);
  const answering = setInterval(answerAll, 20);
  try {
    const ended = await Promise.all(jobs.map(({ id }) => final(id)));
    expect(ended.map(({ status, attempts }) => [status, attempts])).toEqual(jobs.map(() => ['succeeded', 1]));
    expect((await api.get(`/v1/batches/${batch.id}?wait=20s`)).body.counts.succeeded).toBe(6);
  } finally {
    clearInterval(answering);
  }
  expect(most).toBe(5);
  expect(receiver.at('/held')).toHaveLength(12);
});

test('egress, limits of calls and the log level hold at once', async () => {
  await set({ egress: 'public', logLevel: 'fatal' });
  expect((await submit('/ok')).code).toBe('targetNotAllowed');
  expect(perdure.services.log.level).toBe('fatal');
  receiver.on('/slow', () => {});
  await set({ egress: null, httpLimits: { maxResponseBytes: 4, maxTimeout: '150ms' } });
  const [cut, slow] = await Promise.all([submit('/ok'), submit('/slow', { timeout: '9s' })]);
  expect((await final(cut.id)).result).toMatchObject({ truncated: true });
  expect(await final(slow.id)).toMatchObject({ status: 'failed', error: { code: 'timeout' } });
});

test('what another process has set holds here within five seconds', async () => {
  await perdure.services.db.query(`update settings set chosen = '{"concurrency": 3}', updated_at = now()`);
  await eventually(() => perdure.services.settings.current().concurrency === 3, { timeoutMs: 5_000 });
});

test('changes are in the audit log', async () => {
  await set({ concurrency: 9 });
  const { items } = (await api.get('/v1/audit?action=settings.change&limit=1')).body;
  expect(items[0]).toMatchObject({ action: 'settings.change', detail: { patch: { concurrency: 9 } } });
});
