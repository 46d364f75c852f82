// POST /v1/jobs as a client sees it: one key makes one job and one answer, and what is refused leaves nothing behind.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Api, createApi, eventually } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';

let instance: Instance;
let receiver: Receiver;
let api: Api;

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
  api = createApi(instance.url);
});
afterAll(async () => {
  await instance.stop();
  await receiver.stop();
});

const later = () => ({ http: { url: `${receiver.url}/later` }, delay: '1h' });
const keyed = (key: string, more: Record<string, string> = {}) => ({ 'idempotency-key': key, ...more });
const named = async (name: string) => (await api.get(`/v1/jobs?name=${name}`)).body.items as { id: string }[];

describe('201', () => {
  it('answers every field of a job, with defaults filled in and null where there is nothing', async () => {
    const { status, body, headers } = await api.post('/v1/jobs', { http: { url: `${receiver.url}/plain?x=1` } });
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/v1/jobs/${body.id}`);
    expect(headers.get('idempotency-replayed')).toBeNull();
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(body).toMatchObject({
      id: expect.stringMatching(/^job_[0-9a-f]{32}$/),
      ...{ name: null, status: 'queued', delivery: 'atLeastOnce', priority: 3, runAt: null, deadline: null },
      ...{ dependsOn: [], labels: {}, attempts: 0, nextAttemptAt: null, result: null, error: null },
      ...{ scheduleId: null, batchId: null, redriveOf: null, startedAt: null, finishedAt: null },
      http: { method: 'GET', url: `${receiver.url}/plain?x=1`, timeout: '10s', successOn: ['2xx'] },
      retry: {
        ...{ maxAttempts: 5, initialInterval: '1s', backoffCoefficient: 2, maxInterval: '1m', jitter: 0.2 },
        ...{ retryOn: ['network', 'timeout', 408, 425, 429, '5xx'], respectRetryAfter: true, maxRetryAfter: '1h' },
      },
      links: { self: `/v1/jobs/${body.id}`, attempts: `/v1/jobs/${body.id}/attempts` },
    });
    expect(body.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(body.updatedAt).toBe(body.createdAt);
    expect(body.links).toHaveProperty('temporal');
  });

  it('sends POST where there is a body and no method', async () => {
    const { body } = await api.post('/v1/jobs', { http: { url: receiver.url, body: { a: 1 } }, delay: '1h' });
    expect(body.http).toMatchObject({ method: 'POST', body: { a: 1 } });
  });

  it('never shows a secret again, not even in the first answer', async () => {
    const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const headers = { Authorization: 'Bearer hunter2', 'X-Api-Key': 'hunter2', Cookie: 'hunter2', 'X-Plain': 'seen' };
    const notify = [{ on: ['failed'], webhook: { url: receiver.url, secret } }];
    const sent = { ...later(), http: { url: receiver.url, headers }, notify };
    const first = await api.post('/v1/jobs', sent, keyed('redacted'));
    const replay = await api.post('/v1/jobs', sent, keyed('redacted'));
    const read = await api.get(`/v1/jobs/${first.body.id}`);
    const listed = await api.get('/v1/jobs');
    for (const { text } of [first, replay, read, listed]) {
      expect(text).not.toContain('hunter2');
      expect(text).not.toContain(secret);
      expect(text).toContain('[redacted]');
      expect(text).toContain('"X-Plain":"seen"');
    }
  });

  it('makes two jobs of two requests without a key', async () => {
    const [one, other] = await Promise.all([api.post('/v1/jobs', later()), api.post('/v1/jobs', later())]);
    expect(one.body.id).not.toBe(other.body.id);
  });
});

describe('200: a replay', () => {
  it('is the first answer byte for byte, however the content is spelled and however far the job is', async () => {
    const url = `${receiver.url}/replayed`;
    const first = await api.post(
      '/v1/jobs',
      `{"http":{"url":"${url}","body":{"b":1,"a":[1.0,1e2]}},"priority":2}`,
      keyed('k1'),
    );
    expect(first.status).toBe(201);
    await eventually(async () => (await api.get(`/v1/jobs/${first.body.id}`)).body.status === 'succeeded');
    const again = await api.post(
      '/v1/jobs',
      ` {"priority": 2.0, "http": {"body": {"a": [1, 100], "b": 1},\n"url": "${url.replace('/', '\\/')}"}} `,
      keyed('"k1"'),
    );
    expect(again.status).toBe(200);
    expect(again.text).toBe(first.text);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(receiver.at('/replayed')).toHaveLength(1);
  });

  it('comes 100 times to 100 requests at once, of which one made the job', async () => {
    const spec = { name: 'hundred', http: { url: `${receiver.url}/hundred`, body: 1 } };
    const answers = await Promise.all(Array.from({ length: 100 }, () => api.post('/v1/jobs', spec, keyed('hundred'))));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(99);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await named('hundred')).toHaveLength(1);
    await api.get(`/v1/jobs/${answers[0]?.body.id}?wait=10s`);
    expect(receiver.at('/hundred')).toHaveLength(1);
  });

  it('holds for a job that waits for others, also 30 times at once', async () => {
    const parent = await api.post('/v1/jobs', later());
    const spec = { name: 'keyed-child', http: { url: receiver.url }, dependsOn: [parent.body.id] };
    const answers = await Promise.all(Array.from({ length: 30 }, () => api.post('/v1/jobs', spec, keyed('child'))));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 29 }, () => 200), 201]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await named('keyed-child')).toHaveLength(1);
  });

  it('is given although the runAt of the first time is long past by now', async () => {
    const runAt = new Date(Date.now() - 59_000);
    const spec = { http: { url: receiver.url }, runAt: runAt.toISOString() };
    const first = await api.post('/v1/jobs', spec, keyed('past'));
    expect(first.status).toBe(201);
    await eventually(() => Date.now() - runAt.getTime() > 60_100);
    const again = await api.post('/v1/jobs', spec, keyed('past'));
    expect([again.status, again.text]).toEqual([200, first.text]);
    expect((await api.post('/v1/jobs', spec, keyed('past-2'))).status).toBe(422);
  });

  it('tells apart what only looks alike: keys by case, absent by null members', async () => {
    const spec = later();
    const upper = await api.post('/v1/jobs', spec, keyed('CaSe'));
    const lower = await api.post('/v1/jobs', spec, keyed('case'));
    expect([upper.status, lower.status]).toEqual([201, 201]);
    expect((await api.post('/v1/jobs', { ...spec, name: null }, keyed('case'))).status).toBe(422);
  });

  it('is the same for a path with a slash at its end', async () => {
    const spec = later();
    const first = await api.post('/v1/jobs', spec, keyed('slash'));
    const again = await api.post('/v1/jobs/', spec, keyed('slash'));
    expect([again.status, again.text]).toEqual([200, first.text]);
  });
});

describe('Prefer: wait', () => {
  it('answers with the job as it ended, at once when it has', async () => {
    const spec = { http: { url: `${receiver.url}/waited` } };
    const first = await api.post('/v1/jobs', spec, keyed('wait', { prefer: 'wait=10' }));
    expect(first.status).toBe(201);
    expect(first.headers.get('preference-applied')).toBe('wait=10');
    expect(first.body).toMatchObject({ status: 'succeeded', attempts: 1, result: { status: 200, body: { ok: true } } });
    const again = await api.post('/v1/jobs', spec, keyed('wait', { prefer: 'respond-async, wait=10' }));
    expect(again.status).toBe(200);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.body).toEqual(first.body);
    const plain = await api.post('/v1/jobs', spec, keyed('wait'));
    expect(plain.body).toMatchObject({ id: first.body.id, status: 'queued', result: null });
  });

  it('ends with its time when the job does not', async () => {
    const startedAt = Date.now();
    const { status, body } = await api.post('/v1/jobs', later(), { prefer: 'wait=1' });
    expect([status, body.status]).toEqual([201, 'scheduled']);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(950);
    expect(Date.now() - startedAt).toBeLessThan(4_000);
  });

  it('has its twin in GET ?wait=', async () => {
    const { body } = await api.post('/v1/jobs', { http: { url: receiver.url }, delay: '400ms' });
    const waited = await api.get(`/v1/jobs/${body.id}?wait=20s`);
    expect(waited.body.status).toBe('succeeded');
    for (const wait of ['20', '61s', '', '-1s']) {
      const refused = await api.get(`/v1/jobs/${body.id}?wait=${wait}`);
      expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: '/query/wait' }] } });
    }
  });
});

describe('a refused request', () => {
  it('is 422 idempotencyKeyReused when the key stands for other content', async () => {
    const first = await api.post('/v1/jobs', { ...later(), name: 'kept' }, keyed('reused'));
    const other = await api.post('/v1/jobs', { ...later(), name: 'other' }, keyed('reused'));
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotencyKeyReused' } });
    // Also where the content is not even valid: that the key is taken is the more useful answer.
    const invalid = await api.post('/v1/jobs', { http: {} }, keyed('reused'));
    expect(invalid).toMatchObject({ status: 422, body: { code: 'idempotencyKeyReused' } });
    expect(await named('other')).toEqual([]);
    expect((await api.get(`/v1/jobs/${first.body.id}`)).status).toBe(200);
  });

  it('leaves its key free', async () => {
    expect((await api.post('/v1/jobs', { http: {}, delay: '1h' }, keyed('free'))).status).toBe(422);
    const unknown = { ...later(), dependsOn: ['job_nobody'] };
    expect((await api.post('/v1/jobs', unknown, keyed('free'))).status).toBe(422);
    expect((await api.post('/v1/jobs', later(), keyed('free'))).status).toBe(201);
  });

  it.each(['', '""', 'a b', '"open', 'ü', 'x'.repeat(256), '"a" "b"', 'tab\tinside'])(
    'is 400 for the key %j',
    async (key) => {
      const { status, body } = await api.post('/v1/jobs', later(), keyed(key));
      expect([status, body.code]).toEqual([400, 'invalidIdempotencyKey']);
    },
  );

  it('is not the one with the longest key there may be, quoted', async () => {
    expect((await api.post('/v1/jobs', later(), keyed(`"${'~'.repeat(255)}"`))).status).toBe(201);
  });
});

it('takes the same key for another path as another key', async () => {
  const { body: failed } = await api.post(
    '/v1/jobs',
    { http: { url: `${receiver.url}/ok`, successOn: [599] } },
    { prefer: 'wait=10' },
  );
  const letters = await api.get('/v1/dead-letters');
  const letter = letters.body.items.find(({ jobId }: { jobId: string }) => jobId === failed.id);
  expect((await api.post('/v1/jobs', { ...later() }, keyed('scoped'))).status).toBe(201);
  const redriven = await api.post(`/v1/dead-letters/${letter.id}/redrive`, {}, keyed('scoped'));
  expect(redriven.status).toBe(201);
  const again = await api.post(`/v1/dead-letters/${letter.id}/redrive`, {}, keyed('scoped'));
  expect([again.status, again.text]).toEqual([200, redriven.text]);
});
