// The client against a fake service: keys, retries, waiting, lists, streams and paths.
import { expect, test } from 'vitest';

import { type BatchItem, Perdure, PerdureError } from './index.ts';
import { type FakeService, problem, startFakeService } from './testing/fake-service.ts';

const job = { http: { url: 'https://api.example.com/charge' } };

function clientOf(service: FakeService, options: object = {}) {
  return new Perdure({ baseUrl: service.url, ...options });
}

test('a submission cut off before its answer is sent again under the same key', async () => {
  await using service = await startFakeService(() =>
    service.seen.length === 1 ? 'hangUp' : { status: 201, body: { id: 'job_1', status: 'queued' } },
  );
  const submitted = await clientOf(service).jobs.submit(job);
  expect(submitted.id).toBe('job_1');
  const keys = service.seen.map((request) => request.headers['idempotency-key']);
  expect(keys).toHaveLength(2);
  expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(keys[1]).toBe(keys[0]);
});

test('two submissions have two keys, a given key is kept, and the token goes along', async () => {
  await using service = await startFakeService(() => ({ status: 201, body: { id: 'job_1', status: 'queued' } }));
  const client = clientOf(service, { token: async () => 'secret' });
  await client.jobs.submit(job);
  await client.jobs.submit(job);
  await client.jobs.submit({ ...job, runAt: new Date(0) }, { idempotencyKey: 'mine' });
  const [first, second, third] = service.seen;
  expect(first?.headers['idempotency-key']).not.toBe(second?.headers['idempotency-key']);
  expect(third?.headers['idempotency-key']).toBe('mine');
  expect(third?.headers.authorization).toBe('Bearer secret');
  expect(JSON.parse(third?.body ?? '')).toEqual({ ...job, runAt: '1970-01-01T00:00:00.000Z' });
});

test('503 is tried again after Retry-After, and `retries` bounds it', async () => {
  await using service = await startFakeService(() => ({
    ...problem(503, 'storeAway'),
    headers: { 'retry-after': '0' },
  }));
  const failure = clientOf(service, { retries: 2 }).jobs.get('job_1');
  await expect(failure).rejects.toMatchObject({ status: 503, code: 'storeAway' });
  expect(service.seen).toHaveLength(3);
});

test('asked to stay away for an hour, it says so at once instead of hanging', async () => {
  await using service = await startFakeService(() => ({
    ...problem(429, 'tooMany'),
    headers: { 'retry-after': '3600' },
  }));
  await expect(clientOf(service).jobs.get('job_1')).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
  expect(service.seen).toHaveLength(1);
});

test('a refusal is not retried and names code, faults and request id', async () => {
  const errors = [{ pointer: '/http/url', detail: 'is missing' }];
  await using service = await startFakeService(() => problem(422, 'invalidBody', { errors }));
  const failure = await clientOf(service)
    .jobs.submit(job)
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(PerdureError);
  expect(failure).toMatchObject({ status: 422, code: 'invalidBody', errors, requestId: 'req_1' });
  expect((failure as Error).message).toContain('/http/url: is missing');
  expect(service.seen).toHaveLength(1);
});

test('a signal is not sent twice when nobody knows whether it arrived; a cancel is', async () => {
  await using service = await startFakeService(() => 'hangUp');
  const client = clientOf(service, { retries: 1 });
  await expect(client.runs.signal('run_1', 'approval', { ok: true })).rejects.toMatchObject({ code: 'network' });
  expect(service.seen).toHaveLength(1);
  await expect(client.runs.cancel('run_1')).rejects.toMatchObject({ status: 0, code: 'network' });
  expect(service.seen).toHaveLength(3);
});

test('nobody listening is a PerdureError with status 0; silence is a timeout; an abort is the reason given', async () => {
  const away = new Perdure({ baseUrl: 'http://127.0.0.1:1', retries: 0 });
  await expect(away.jobs.get('job_1')).rejects.toMatchObject({ status: 0, code: 'network' });

  await using service = await startFakeService(() => undefined);
  const client = clientOf(service, { retries: 0 });
  await expect(client.jobs.get('job_1', { timeoutMs: 30 })).rejects.toMatchObject({ status: 0, code: 'timeout' });

  const controller = new AbortController();
  const pending = client.jobs.get('job_1', { signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(pending).rejects.toThrow('enough');
});

test('an HTML page with 200 is not taken for an answer', async () => {
  await using service = await startFakeService(() => ({ body: '<html>' }));
  await expect(clientOf(service).jobs.get('job_1')).rejects.toMatchObject({ code: 'badAnswer' });
});

test('wait asks in rounds of at most a minute until the job is final', async () => {
  await using service = await startFakeService(() => ({
    body: { id: 'job_1', status: service.seen.length < 2 ? 'running' : 'unknown' },
  }));
  expect(await clientOf(service).jobs.wait('job_1')).toMatchObject({ status: 'unknown' });
  expect(service.seen.map((request) => request.query.get('wait'))).toEqual(['60s', '60s']);
});

test('wait ends at its limit with the job as it then is', async () => {
  await using service = await startFakeService(() => ({ body: { id: 'job_1', status: 'running' } }));
  expect(await clientOf(service).jobs.wait('job_1', { limit: '20ms' })).toMatchObject({ status: 'running' });
  expect(service.seen[0]?.query.get('wait')).toBe('1s');
});

test('submit and wait prefers one call and goes on by GET', async () => {
  await using service = await startFakeService((request) =>
    request.method === 'POST'
      ? { status: 201, body: { id: 'job_1', status: 'running' } }
      : { body: { id: 'job_1', status: 'succeeded' } },
  );
  expect(await clientOf(service).jobs.submit(job, { wait: true })).toMatchObject({ status: 'succeeded' });
  expect(service.seen[0]?.headers.prefer).toBe('wait=60');
  expect(service.seen[1]?.path).toBe('/v1/jobs/job_1');

  await clientOf(service).workflows.run('order', { input: 1 }, { wait: '5s' });
  expect(service.seen[2]?.headers.prefer).toBe('wait=5');
  expect(service.seen[3]?.path).toBe('/v1/runs/job_1');
});

test('a list reads the next page only when it is needed, with every filter', async () => {
  await using service = await startFakeService((request) => ({
    body: request.query.has('cursor')
      ? { items: [{ id: 'c' }], nextCursor: null }
      : { items: [{ id: 'a' }, { id: 'b' }], nextCursor: 'next' },
  }));
  const list = clientOf(service).jobs.list({ status: ['failed', 'unknown'], label: 'team:billing', limit: 2 });
  const ids: string[] = [];
  for await (const one of list) {
    ids.push(one.id);
    expect(service.seen).toHaveLength(one.id === 'c' ? 2 : 1);
  }
  expect(ids).toEqual(['a', 'b', 'c']);
  expect(service.seen[1]?.query.toString()).toBe(
    'status=failed&status=unknown&label=team%3Abilling&limit=2&cursor=next',
  );
  expect((await list.page()).nextCursor).toBe('next');
});

test('a streamed batch is sent whole again when the first try breaks off', async () => {
  await using service = await startFakeService(() =>
    service.seen.length === 1 ? 'hangUp' : { status: 201, body: { id: 'bat_1', status: 'running' } },
  );
  let reads = 0;
  async function* items(): AsyncGenerator<BatchItem> {
    for (const key of ['a', 'b', 'c']) {
      reads++;
      yield { ...job, key };
    }
  }
  await clientOf(service).batches.create({ items: items(), name: 'nightly', concurrency: 5 });
  const [first, second] = service.seen;
  expect(reads).toBe(3);
  expect(
    second?.body
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as BatchItem).key),
  ).toEqual(['a', 'b', 'c']);
  expect(second?.query.toString()).toBe('name=nightly&concurrency=5');
  expect(second?.headers['content-type']).toBe('application/x-ndjson');
  expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
});

test('what the source of a batch throws reaches the caller, and nothing is retried', async () => {
  await using service = await startFakeService(() => ({ status: 201, body: {} }));
  async function* items(): AsyncGenerator<BatchItem> {
    yield job;
    throw new Error('the file is broken');
  }
  await expect(clientOf(service, { retries: 0 }).batches.create({ items: items() })).rejects.toThrow(
    'the file is broken',
  );
});

test('each method calls its path', async () => {
  await using service = await startFakeService(() => ({
    body: { id: 'x', status: 'running', items: [], nextCursor: null },
  }));
  const client = clientOf(service);
  await client.jobs.runNow('job_1');
  await client.jobs.attempts('job_1').page();
  await client.schedules.put('a b', { cron: '* * * * *', job });
  await client.schedules.backfill('s', { from: '2026-01-01T00:00:00Z', to: new Date(0) });
  await client.schedules.preview({ cron: '* * * * *', count: 2 });
  await client.schedules.ticks('s', { from: '2026-01-01T00:00:00Z' }).page();
  await client.workflows.get('order', { version: 2 });
  await client.workflows.graph('order');
  await client.runs.signal('run_1', 'ok', 1);
  await client.runs.redrive('run_1', { fromStep: 'a' });
  await client.deadLetters.redriveMany({ ids: ['dl_1'] });
  await client.deadLetters.abort('bulk_1');
  await client.workers.drain('w1');
  await client.whoami();
  expect(service.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /v1/jobs/job_1/run-now',
    'GET /v1/jobs/job_1/attempts',
    'PUT /v1/schedules/a%20b',
    'POST /v1/schedules/s/backfill',
    'GET /v1/schedules/preview',
    'GET /v1/schedules/s/ticks',
    'GET /v1/workflows/order/versions/2',
    'GET /v1/workflows/order/graph',
    'POST /v1/runs/run_1/signals/ok',
    'POST /v1/runs/run_1/redrive',
    'POST /v1/dead-letters/redrive',
    'POST /v1/bulk-operations/bulk_1/abort',
    'POST /v1/workers/w1/drain',
    'GET /v1/whoami',
  ]);
});
