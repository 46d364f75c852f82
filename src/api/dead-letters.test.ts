// Dead letters: why a job ended badly, and another chance for one of them or for many.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Api, createApi, eventually, type Json } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { answer, type Receiver, startReceiver } from '../testing/receiver.ts';

let instance: Instance;
let receiver: Receiver;
let api: Api;

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
  api = createApi(instance.url);
  receiver.on('/404', answer(404));
  receiver.on('/503', answer(503));
  receiver.on('/hangs', () => undefined);
});
afterAll(async () => {
  await instance.stop();
  await receiver.stop();
});

const retry = { initialInterval: '20ms', maxAttempts: 2, jitter: 0 };

async function die(path: string, more: Json = {}): Promise<{ job: Json; letter: Json }> {
  const { http, ...rest } = more;
  const spec = { retry, ...rest, http: { url: `${receiver.url}${path}`, ...http } };
  const { body: job } = await api.post('/v1/jobs', spec, { prefer: 'wait=20' });
  const letters = await all(job.name ? `name=${job.name}` : '');
  return { job, letter: letters.find(({ jobId }) => jobId === job.id) };
}
const all = async (query: string): Promise<Json[]> => (await api.get(`/v1/dead-letters?limit=200&${query}`)).body.items;
const redrive = (id: string, body: unknown = {}, headers = {}) =>
  api.post(`/v1/dead-letters/${id}/redrive`, body, headers);
const operation = (id: string) => api.get(`/v1/bulk-operations/${id}`);
const finished = (id: string) =>
  eventually(async () => {
    const { body } = await operation(id);
    return body.status !== 'running' && body;
  });

describe.concurrent('a dead letter', () => {
  it.each([
    ['attemptsExhausted', '/503', {}, { status: 'failed', attempts: 2, code: 'httpStatus' }],
    ['nonRetryable', '/404', {}, { status: 'failed', attempts: 1, code: 'httpStatus' }],
    [
      'deadlineExceeded',
      '/503?x',
      { deadline: '1s', retry: { initialInterval: '1h', maxInterval: '1h' } },
      { status: 'expired', attempts: 1, code: 'deadlineExceeded' },
    ],
    [
      'outcomeUnknown',
      '/hangs',
      { http: { timeout: '1s' }, delivery: 'atMostOnce' },
      { status: 'unknown', attempts: 1, code: 'outcomeUnknown' },
    ],
  ])('has the reason %s', async (reason, path, more, { status, attempts, code }) => {
    const { job, letter } = await die(path, { ...more, name: `why-${reason}` });
    expect(job.status).toBe(status);
    expect(letter).toEqual({
      ...{ id: expect.stringMatching(/^dl_[0-9a-f]{32}$/), kind: 'job', jobId: job.id, runId: null, stepId: null },
      ...{ name: `why-${reason}`, reason, attempts, redrivenAs: null, fingerprint: expect.any(String) },
      error: expect.objectContaining({ code }),
      target: `GET ${receiver.url}${path.split('?')[0]}`,
      createdAt: expect.any(String),
    });
    expect((await api.get(`/v1/dead-letters/${letter.id}`)).body).toEqual(letter);
    expect(await all(`reason=${reason}&name=why-${reason}`)).toEqual([letter]);
  });

  it('is not written for what succeeds or is canceled', async () => {
    const { letter } = await die('/fine', { name: 'fine' });
    expect(letter).toBeUndefined();
    const { body } = await api.post('/v1/jobs', { http: { url: receiver.url }, delay: '1h', name: 'fine' });
    await api.post(`/v1/jobs/${body.id}/cancel`);
    expect(await all('name=fine')).toEqual([]);
  });

  it('has one fingerprint with others of the same fault, and another one else', async () => {
    const [one, two, other] = await Promise.all([die('/404?a'), die('/404?b'), die('/503')]);
    expect(one.letter.fingerprint).toBe(two.letter.fingerprint);
    expect(one.letter.fingerprint).not.toBe(other.letter.fingerprint);
    const same = await all(`fingerprint=${one.letter.fingerprint}`);
    expect(same.map(({ id }) => id)).toEqual(expect.arrayContaining([one.letter.id, two.letter.id]));
  });

  it('is found by host, kind and whether it was redriven; what is unknown is refused', async () => {
    const { letter } = await die('/404', { name: 'filtered' });
    expect(await all('name=filtered&host=127.0.0.1&kind=job&redriven=false')).toEqual([letter]);
    expect(await all('name=filtered&redriven=true')).toEqual([]);
    expect(await all('name=filtered&kind=run')).toEqual([]);
    expect(await all('name=filtered&host=example.com')).toEqual([]);
    for (const query of ['kind=x', 'redriven=yes', 'status=failed', 'reason=', 'reason=nobodyKnows']) {
      expect((await api.get(`/v1/dead-letters?${query}`)).status).toBe(422);
    }
  });

  it('can be deleted, once; its job stays', async () => {
    const { job, letter } = await die('/404');
    expect((await api.delete(`/v1/dead-letters/${letter.id}`)).status).toBe(204);
    expect((await api.delete(`/v1/dead-letters/${letter.id}`)).status).toBe(404);
    expect((await redrive(letter.id)).status).toBe(404);
    expect((await api.get(`/v1/jobs/${job.id}`)).status).toBe(200);
  });
});

describe.concurrent('a redrive', () => {
  it('is the same job once more with a patch, bound to the old one both ways, under the first key', async () => {
    const labels = { team: 'a', kept: 'yes' };
    const { job, letter } = await die('/404', {
      http: { body: { a: 1 }, headers: { 'X-Api-Key': 'hunter2' } },
      labels,
    });
    const patch = { http: { url: `${receiver.url}/healed` }, labels: { team: 'b' }, name: 'again' };
    const { status, body, headers } = await redrive(letter.id, { patch }, { prefer: 'wait=20' });
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/v1/jobs/${body.id}`);
    expect(body).toMatchObject({ status: 'succeeded', redriveOf: job.id, name: 'again', retry: job.retry });
    expect(body.labels).toEqual({ team: 'b', kept: 'yes' });
    expect((await api.get(`/v1/dead-letters/${letter.id}`)).body.redrivenAs).toBe(body.id);
    expect(receiver.at('/healed')).toMatchObject([
      {
        method: 'POST',
        body: '{"a":1}',
        headers: { 'idempotency-key': job.id, 'x-perdure-job': body.id, 'x-api-key': 'hunter2' },
      },
    ]);
  });

  it('keeps the first key through any number of redrives, unless a new one is asked for', async () => {
    const first = await die('/404?keys', { name: 'keys' });
    const next = async (of: Json, body: object) => {
      const { body: job } = await redrive(of.id, body, { prefer: 'wait=20' });
      return (await all('name=keys')).find(({ jobId }) => jobId === job.id);
    };
    const second = await next(first.letter, {});
    const third = await next(second, {});
    const fourth = await next(third, { newKey: true });
    const keys = receiver.at('/404?keys').map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([first.job.id, first.job.id, first.job.id, fourth.jobId]);
  });

  it('happens once: of 10 at the same time one makes a job, the others are 409', async () => {
    const { job, letter } = await die('/404', { name: 'once' });
    const answers = await Promise.all(Array.from({ length: 10 }, () => redrive(letter.id)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const refused = answers.filter(({ status }) => status === 409);
    expect(refused).toHaveLength(9);
    expect(refused[0]?.body.code).toBe('alreadyRedriven');
    const jobs = (await api.get('/v1/jobs?name=once')).body.items;
    expect(jobs.filter(({ redriveOf }: Json) => redriveOf === job.id)).toHaveLength(1);
  });

  it('is replayed to a client that repeats it with its key', async () => {
    const { letter } = await die('/404');
    const key = { 'idempotency-key': 'redrive-1' };
    const answers = await Promise.all(Array.from({ length: 10 }, () => redrive(letter.id, {}, key)));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 9 }, () => 200), 201]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await redrive(letter.id, { newKey: true }, key)).toMatchObject({
      ...{ status: 422, body: { code: 'idempotencyKeyReused' } },
    });
  });

  it('is refused with a pointer into its patch, and the letter can still be redriven', async () => {
    const { letter } = await die('/404');
    const faults: [unknown, string][] = [
      [{ patch: { http: { url: 'ftp://x' } } }, '/patch/http/url'],
      [{ patch: { nope: 1 } }, '/patch/nope'],
      [{ patch: { http: null } }, '/patch/http'],
      [{ patch: { retry: { maxAttempts: 0 } } }, '/patch/retry/maxAttempts'],
      [{ patch: { dependsOn: ['job_nobody'] } }, '/patch/dependsOn/0'],
      [{ patch: [] }, '/patch'],
      [{ newKey: 'yes' }, '/newKey'],
      [{ fromStep: 'a' }, '/fromStep'],
      [{ force: true }, '/force'],
      [[], ''],
    ];
    for (const [body, pointer] of faults) {
      const refused = await redrive(letter.id, body);
      expect([refused.status, refused.body.errors[0].pointer]).toEqual([422, pointer]);
    }
    expect((await redrive('dl_nobody')).status).toBe(404);
    expect((await redrive(letter.id)).status).toBe(201);
  });

  it('waits for what its patch says it depends on', async () => {
    const { letter } = await die('/404');
    const { body: parent } = await api.post('/v1/jobs', { http: { url: receiver.url }, delay: '600ms' });
    const patch = { dependsOn: [parent.id], http: { url: `${receiver.url}/after-parent` } };
    const { body } = await redrive(letter.id, { patch });
    expect(body.status).toBe('blocked');
    expect((await api.get(`/v1/jobs/${body.id}?wait=20s`)).body.status).toBe('succeeded');
    expect((await api.get(`/v1/jobs/${parent.id}`)).body.status).toBe('succeeded');
  });
});

describe.concurrent('many at once', () => {
  const bulk = (body: object, headers = {}) => api.post('/v1/dead-letters/redrive', body, headers);

  it('are redriven by their ids, those redriven before are skipped, those that are not there fail', async () => {
    const dead = await Promise.all(Array.from({ length: 4 }, () => die('/404', { name: 'by-id' })));
    const ids = dead.map(({ letter }) => letter.id);
    await redrive(ids[0], { patch: { http: { url: `${receiver.url}/fine` } } });
    const patch = { http: { url: `${receiver.url}/healed-by-id` } };
    const { status, body } = await bulk({ ids: [...ids, 'dl_nobody', ids[1]], patch });
    expect([status, body.status, body.counts]).toEqual([202, 'running', { total: 5, done: 0, skipped: 0, failed: 0 }]);
    expect(body.id).toMatch(/^bulk_/);
    expect((await finished(body.id)).counts).toEqual({ total: 5, done: 3, skipped: 1, failed: 1 });
    await eventually(() => receiver.at('/healed-by-id').length === 3);
    expect(await all('name=by-id&redriven=false')).toEqual([]);
    expect(await api.post(`/v1/bulk-operations/${body.id}/abort`)).toMatchObject({ status: 409 });
  });

  it('are redriven by a filter, and only those; a read may wait for the end', async () => {
    await Promise.all([1, 2, 3].map((n) => die(`/404?filter${n}`, { name: n === 3 ? 'other-one' : 'by-filter' })));
    const patch = { http: { url: `${receiver.url}/healed-by-filter` } };
    const { body } = await bulk({ filter: { name: ['by-filter'], reason: 'nonRetryable', kind: 'job' }, patch });
    const ended = await api.get(`/v1/bulk-operations/${body.id}?wait=60s`);
    expect(ended.body).toMatchObject({ status: 'finished', counts: { total: 2, done: 2, skipped: 0, failed: 0 } });
    expect(await all('name=other-one&redriven=false')).toHaveLength(1);
  });

  it('are waited for, at the first time of asking and at the next', async () => {
    const { letter } = await die('/404?waited');
    const patch = { http: { url: `${receiver.url}/healed-waited` } };
    const headers = { prefer: 'wait=30', 'idempotency-key': 'waited' };
    for (const status of [202, 200]) {
      const answer = await bulk({ ids: [letter.id], patch }, headers);
      expect(answer).toMatchObject({ status, body: { status: 'finished', counts: { total: 1, done: 1 } } });
      expect(answer.headers.get('preference-applied')).toBe('wait=30');
    }
  });

  it('are redriven no faster than asked, until it is aborted', async () => {
    await Promise.all(Array.from({ length: 6 }, (_, n) => die(`/404?paced${n}`, { name: 'paced' })));
    const patch = { http: { url: `${receiver.url}/healed-paced` } };
    const { body } = await bulk({ filter: { name: 'paced' }, maxPerSecond: 2, patch });
    await eventually(async () => (await operation(body.id)).body.counts.done >= 4);
    const aborted = await api.post(`/v1/bulk-operations/${body.id}/abort`);
    expect([aborted.status, aborted.body.status]).toEqual([200, 'aborted']);
    await eventually(() => receiver.at('/healed-paced').length >= 4);
    const times = receiver.at('/healed-paced').map(({ at }) => at);
    expect(Number(times[2]) - Number(times[0])).toBeGreaterThan(700);
    const left = await all('name=paced&redriven=false');
    expect(left.length).toBeGreaterThan(0);
    expect((await operation(body.id)).body.counts.done + left.length).toBe(6);
  });

  it('are one operation for one key', async () => {
    const { letter } = await die('/404', { name: 'keyed-bulk' });
    const key = { 'idempotency-key': 'bulk-1' };
    const answers = await Promise.all(Array.from({ length: 5 }, () => bulk({ ids: [letter.id] }, key)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 202]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect((await bulk({ ids: ['dl_other'] }, key)).body.code).toBe('idempotencyKeyReused');
  });

  it.each([
    [{}, ''],
    [{ ids: [] }, '/ids'],
    [{ filter: {} }, '/filter'],
    [{ ids: ['dl_a'], filter: { name: 'a' } }, ''],
    [{ ids: ['a b'] }, '/ids/0'],
    [{ ids: 'dl_a' }, '/ids'],
    [{ filter: { nope: 'a' } }, '/filter/nope'],
    [{ filter: { kind: 'x' } }, '/filter/kind'],
    [{ filter: { reason: ['nonRetryable', 'x'] } }, '/filter/reason'],
    [{ ids: ['dl_a'], maxPerSecond: 0 }, '/maxPerSecond'],
    [{ ids: ['dl_a'], patch: 1 }, '/patch'],
    [{ ids: ['dl_a'], newKey: true }, '/newKey'],
  ])('are not redriven by %j', async (body, pointer) => {
    const refused = await bulk(body);
    expect([refused.status, refused.body.errors[0].pointer]).toEqual([422, pointer]);
  });

  it('are not there under an unknown id', async () => {
    expect((await operation('bulk_nobody')).status).toBe(404);
    expect((await api.post('/v1/bulk-operations/bulk_nobody/abort')).status).toBe(404);
  });
});
