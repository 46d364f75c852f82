// Batches end to end: all or nothing, counted right, retried, canceled and told of.
import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, expect, it } from 'vitest';

import type { JobSpec } from '../../contract/job.ts';
import { type Api, createApi, eventually } from '../../testing/api.ts';
import { type Instance, startInstance } from '../../testing/instance.ts';
import { answer, type Receiver, startReceiver } from '../../testing/receiver.ts';
import { isSealed } from '../secrets/sealer.ts';

const MASTER_KEY = randomBytes(32).toString('base64');

let instance: Instance;
let receiver: Receiver;
let api: Api;

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance({ PERDURE_MASTER_KEY: MASTER_KEY }), startReceiver()]);
  api = createApi(instance.url);
});
afterAll(async () => {
  await instance.stop();
  await receiver.stop();
});

const itemsAt = (path: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({ http: { url: `${receiver.url}${path}/${n}` } }));

const callsTo = (path: string) => receiver.received.filter((one) => one.path.startsWith(path));

const countOf = async (table: 'jobs' | 'batches') => {
  const [row] = await instance.services.db.query<{ count: number }>(`select count(*)::int as count from ${table}`);
  return row?.count;
};

it('runs every item once, under its own key, and counts them', async () => {
  const created = await api.post('/v1/batches', { name: 'plain', items: itemsAt('/plain', 300) });
  expect(created.status).toBe(201);
  expect(created.headers.get('location')).toBe(`/v1/batches/${created.body.id}`);
  expect(created.body).toMatchObject({ name: 'plain', status: 'running', counts: { total: 300, queued: 300 } });
  const done = await api.get(`/v1/batches/${created.body.id}?wait=20s`);
  expect(done.body).toMatchObject({ status: 'finished', finishedAt: expect.any(String) });
  expect(done.body.counts).toEqual({
    total: 300,
    queued: 0,
    running: 0,
    retrying: 0,
    succeeded: 300,
    failed: 0,
    canceled: 0,
  });
  const rows = await instance.services.db.query<{ id: string }>('select id from jobs where batch_id = $1', [
    created.body.id,
  ]);
  const keys = callsTo('/plain/').map(({ headers }) => headers['idempotency-key'] as string);
  expect(keys.sort()).toEqual(rows.map(({ id }) => id).sort());
  const jobs = await api.get(`/v1/jobs?batchId=${created.body.id}&limit=1`);
  const attempts = await api.get(jobs.body.items[0].links.attempts);
  expect(attempts.body.items).toMatchObject([{ number: 1, outcome: 'answered', httpStatus: 200 }]);
});

it('one bad item refuses the whole batch, is named where it was sent, and stores nothing', async () => {
  const before = [await countOf('jobs'), await countOf('batches')];
  const items = [...itemsAt('/never', 2), { http: { url: 'ftp://example.com' }, key: 'a' }, { key: 'a', http: {} }];
  const refused = await api.post('/v1/batches', { defaults: { priority: 9 }, items }, { 'idempotency-key': 'bad' });
  expect(refused.status).toBe(422);
  expect(refused.body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual([
    '/defaults/priority',
    '/items/2/http/url',
    '/items/3/http/url',
    '/items/3/key',
  ]);
  const unknown = await api.post('/v1/batches', {
    items: [...itemsAt('/never', 1), { ...itemsAt('/never', 1)[0], dependsOn: ['job_none'] }],
  });
  expect(unknown.body.errors).toMatchObject([{ pointer: '/items/1/dependsOn/0' }]);
  expect((await api.post('/v1/batches', { items: [] })).status).toBe(422);
  const multiplied = { defaults: { http: { bodyText: 'x'.repeat(500_000) } }, items: itemsAt('/never', 100) };
  expect((await api.post('/v1/batches', multiplied)).body.errors).toMatchObject([{ pointer: '/defaults' }]);
  expect([await countOf('jobs'), await countOf('batches')]).toEqual(before);
  expect(callsTo('/never')).toEqual([]);
});

it('stores each item as if it had been sent alone, in the order of the list', async () => {
  const at = (path: string, more: object = {}) => ({ url: `${receiver.url}/alike/${path}`, ...more });
  const items = [
    { http: at('1') },
    { http: at('2') },
    { http: at('3', { body: { b: null, a: ['\u00e9', 1.5] } }), labels: { a: 'b' } },
    { http: at('4', { body: false }), labels: { a: 'b' } },
    { http: at('5', { body: '' }) },
    { http: at('6', { headers: { Authorization: 'one', 'X-A': '1' } }), name: 'named', retry: { maxAttempts: 2 } },
    { http: at('7', { headers: { Authorization: 'one', 'X-A': '1' } }), name: 'named', retry: { maxAttempts: 2 } },
    { http: at('1') },
    { http: at('8'), deadline: '1h', delay: '1d' },
  ];
  const batch = await api.post('/v1/batches', { items });
  const alone = await Promise.all(items.map((item) => api.post('/v1/jobs', item)));
  const [stored, expected] = await Promise.all([
    storedAs('batch_id = any($1)', [batch.body.id]),
    storedAs(
      'id = any($1)',
      alone.map(({ body }) => body.id as string),
    ),
  ]);
  expect(stored).toEqual(items.map(({ http }) => expected.find(({ spec }) => spec.http.url === http.url)));
});

/** What acceptance decides, without what differs between any two jobs. */
async function storedAs(condition: string, ids: string[]): Promise<{ spec: JobSpec }[]> {
  const rows = await instance.services.db.query<{ spec: JobSpec }>(
    `select name, spec, host, labels, run_at - created_at as ahead, deadline_at - created_at as deadline,
       outbound_key = id as "isOwnKey", trace_parent is not null as "isTraced"
     from jobs where ${condition} order by id`,
    [ids],
  );
  const { open } = instance.services.sealer;
  for (const { spec } of rows) {
    const { headers } = spec.http;
    for (const [name, value] of Object.entries(headers)) if (isSealed(value)) headers[name] = open('default', value);
  }
  return rows;
}

it('lays the defaults under each item and keeps its key', async () => {
  const batch = await api.post('/v1/batches', {
    defaults: { http: { method: 'PUT', headers: { 'X-A': '1', 'X-B': '1' } }, labels: { a: '1' } },
    items: [{ key: 'one', http: { url: `${receiver.url}/defaults`, headers: { 'x-b': '2' } }, labels: { b: '2' } }],
  });
  await api.get(`${batch.body.links.self}?wait=20s`);
  expect(receiver.at('/defaults')).toMatchObject([{ method: 'PUT', headers: { 'x-a': '1', 'x-b': '2' } }]);
  const { body } = await api.get(batch.body.links.jobs);
  expect(body.items).toMatchObject([{ batchKey: 'one', batchId: batch.body.id, labels: { a: '1', b: '2' } }]);
});

it('items that fail go on by themselves: retried in time, then succeeded or dead letters', async () => {
  receiver.on('/flaky', (_request, response, nth) => void response.writeHead(nth === 1 ? 503 : 200).end());
  receiver.on('/broken', answer(500));
  receiver.on('/bad', answer(400));
  const retry = { maxAttempts: 2, initialInterval: '300ms', jitter: 0 };
  const batch = await api.post('/v1/batches', {
    defaults: { retry },
    items: [...itemsAt('/flaky', 3), ...itemsAt('/broken', 2), ...itemsAt('/bad', 1), ...itemsAt('/good', 4)],
  });
  const done = await api.get(`${batch.body.links.self}?wait=30s`);
  expect(done.body).toMatchObject({ status: 'finished', counts: { total: 10, succeeded: 7, failed: 3, retrying: 0 } });
  for (const n of [0, 1, 2]) {
    const [first, second] = receiver.at(`/flaky/${n}`);
    expect(second?.at).toBeGreaterThanOrEqual((first?.at ?? 0) + 290);
    expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
    expect(receiver.at(`/flaky/${n}`)).toHaveLength(2);
  }
  const failed = await api.get(`/v1/jobs?batchId=${batch.body.id}&status=failed`);
  const letters = await api.get('/v1/dead-letters');
  const dead = new Map(letters.body.items.map((one: { jobId: string; reason: string }) => [one.jobId, one.reason]));
  expect(failed.body.items.map(({ id }: { id: string }) => dead.get(id)).sort()).toEqual([
    'attemptsExhausted',
    'attemptsExhausted',
    'nonRetryable',
  ]);
});

it('what cannot ride along runs in its own workflow: later, at most once, after others', async () => {
  const parent = await api.post('/v1/jobs', { http: { url: `${receiver.url}/parent` }, delay: '1s' });
  const [url] = [`${receiver.url}/own`];
  const batch = await api.post('/v1/batches', {
    items: [
      { http: { url: `${url}/delay` }, delay: '1s' },
      { http: { url: `${url}/once` }, delivery: 'atMostOnce' },
      { http: { url: `${url}/after` }, dependsOn: [parent.body.id] },
      { http: { url: `${url}/long`, timeout: '5m' } },
    ],
  });
  const done = await api.get(`${batch.body.links.self}?wait=30s`);
  expect(done.body).toMatchObject({ status: 'finished', counts: { total: 4, succeeded: 4 } });
  expect(callsTo('/own/')).toHaveLength(4);
});

it('a cancel ends what is open, cuts off calls under way, and keeps what is done', async () => {
  const cut: boolean[] = [];
  receiver.on('/hang', (_request, response) => void response.once('close', () => cut.push(true)));
  const batch = await api.post('/v1/batches', {
    concurrency: 2,
    items: [{ ...itemsAt('/hang', 1)[0], delivery: 'atMostOnce' }, ...itemsAt('/quick', 3), ...itemsAt('/hang', 20)],
  });
  await eventually(() => callsTo('/hang/').length === 3);
  const { self } = batch.body.links;
  const midway = await eventually(async () => {
    const { body } = await api.get(self);
    return body.counts.succeeded === 3 && body;
  });
  expect(midway.counts).toMatchObject({ total: 24, queued: 18, running: 3, succeeded: 3 });
  const canceled = await api.post(`${self}/cancel`);
  expect(canceled.status).toBe(200);
  expect(canceled.body).toMatchObject({ status: 'canceled', counts: { succeeded: 3, canceled: 21, running: 0 } });
  await eventually(() => cut.length === 3, { timeoutMs: 3_000, what: 'the calls are cut off' });
  expect((await api.post(`${self}/cancel`)).body.code).toBe('alreadyFinal');
  expect(callsTo('/hang/')).toHaveLength(3);
  expect((await api.get(self)).body.counts).toEqual(canceled.body.counts);
});

it('a repeated request replays the first answer; other content under its key is refused', async () => {
  const key = { 'idempotency-key': 'again' };
  const body = { items: itemsAt('/again', 5) };
  const [one, two] = await Promise.all([api.post('/v1/batches', body, key), api.post('/v1/batches', body, key)]);
  expect([one.status, two.status].sort()).toEqual([200, 201]);
  expect(two.text).toBe(one.text);
  await api.get(`${one.body.links.self}?wait=20s`);
  const third = await api.post('/v1/batches', body, { ...key, prefer: 'wait=1' });
  expect(third.headers.get('idempotency-replayed')).toBe('true');
  expect(third.body).toMatchObject({ id: one.body.id, status: 'finished' });
  const other = await api.post('/v1/batches', { items: itemsAt('/again', 4) }, key);
  expect([other.status, other.body.code]).toEqual([422, 'idempotencyKeyReused']);
  expect(callsTo('/again/')).toHaveLength(5);
});

it('takes one item a line, and names the line that is wrong', async () => {
  const ndjson = { 'content-type': 'application/x-ndjson' };
  const lines = itemsAt('/lines', 20).map((item) => JSON.stringify(item));
  const batch = await api.post('/v1/batches?name=lines&concurrency=3', `${lines.join('\n')}\n`, ndjson);
  expect(batch.body).toMatchObject({ name: 'lines', concurrency: 3, counts: { total: 20 } });
  expect((await api.get(`${batch.body.links.self}?wait=20s`)).body.counts.succeeded).toBe(20);
  const broken = await api.post('/v1/batches', `${lines[0]}\n{"http": }\n${lines[1]}`, ndjson);
  expect([broken.status, broken.body.errors[0].pointer]).toEqual([400, '/items/1']);
  const wrong = await api.post('/v1/batches', `${lines[0]}\n\n{"http": {"url": 1}}`, ndjson);
  expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([422, '/items/1/http/url']);
  const unknown = await api.post('/v1/batches?nmae=x', lines[0], ndjson);
  expect(unknown.body.errors).toMatchObject([{ pointer: '/query/nmae' }]);
});

it('tells when all are final, once, and lists batches newest first', async () => {
  const batch = await api.post('/v1/batches', {
    name: 'told',
    items: itemsAt('/told', 3),
    notify: [{ on: ['finished'], webhook: { url: `${receiver.url}/hook` } }],
  });
  await eventually(() => receiver.at('/hook').length > 0, { what: 'the webhook' });
  expect(JSON.parse(receiver.at('/hook')[0]?.body ?? '')).toMatchObject({
    type: 'batch.finished',
    data: { id: batch.body.id, status: 'finished', counts: { total: 3, succeeded: 3 } },
  });
  const list = await api.get('/v1/batches?status=finished&name=told');
  expect(list.body.items.map(({ id }: { id: string }) => id)).toEqual([batch.body.id]);
  expect((await api.get('/v1/batches/bat_none')).status).toBe(404);
});

it('a batch whose workflow is terminated ends with a dead letter for each open item', async () => {
  receiver.on('/stuck', () => {});
  const batch = await api.post('/v1/batches', { concurrency: 1, items: itemsAt('/stuck', 3) });
  await eventually(() => callsTo('/stuck/').length === 1);
  await instance.services.client.workflow.getHandle(batch.body.id).terminate();
  await instance.services.db.query('update batches set check_at = now() where id = $1', [batch.body.id]);
  const done = await api.get(`${batch.body.links.self}?wait=20s`);
  expect(done.body).toMatchObject({ status: 'finished', counts: { total: 3, failed: 3 } });
  const letters = await api.get('/v1/dead-letters?reason=terminatedExternally');
  expect(letters.body.items).toHaveLength(3);
});
