// What a job's target sees of it, and what is kept of the answers: calls, results, retries, delivery.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Api, createApi } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { createJobDriver, type JobDriver } from '../testing/job-driver.ts';
import { answer, type Receiver, startReceiver } from '../testing/receiver.ts';
import { version } from '../version.ts';

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
const NOBODY = 'http://127.0.0.1:1025/';

describe.concurrent('a call', () => {
  it('carries what the target needs to know, and what the user set', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const spec = {
      http: { url: `${receiver.url}/headers?q=1`, query: { 'a b': 'ü&=' }, headers: { 'X-A': 'é', Accept: 'x/y' } },
    };
    const { body } = await api.post('/v1/jobs', spec, { traceparent });
    await jobs.ended(body);
    const [call] = receiver.received.filter(({ path }) => path.startsWith('/headers'));
    expect(call?.path).toBe('/headers?q=1&a+b=%C3%BC%26%3D');
    expect(call?.headers).toMatchObject({
      ...{ 'idempotency-key': body.id, 'x-perdure-job': body.id, 'x-perdure-attempt': '1', traceparent },
      ...{ 'user-agent': `perdure/${version}`, 'x-a': 'é', accept: 'x/y' },
    });
  });

  it('belongs to a trace also when the sender had none, or no valid one', async () => {
    await jobs.run('/trace');
    const { body } = await api.post('/v1/jobs', { http: { url: `${receiver.url}/trace` } }, { traceparent: 'ü-x' });
    await jobs.ended(body);
    const traces = receiver.at('/trace').map(({ headers }) => String(headers.traceparent));
    expect(traces).toHaveLength(2);
    for (const trace of traces) expect(trace).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(traces[0]).not.toBe(traces[1]);
  });

  it.each([
    ['body', { a: [1, null, 'ü'] }, '{"a":[1,null,"ü"]}', 'application/json'],
    ['body', 'text', '"text"', 'application/json'],
    ['body', 0, '0', 'application/json'],
    ['body', false, 'false', 'application/json'],
    ['bodyText', 'a\nü', 'a\nü', 'text/plain; charset=utf-8'],
    ['bodyBase64', 'aGk=', 'hi', 'application/octet-stream'],
  ])('sends %s %j', async (field, value, text, type) => {
    const path = `/bodies/${field}/${encodeURIComponent(JSON.stringify(value))}`;
    await jobs.run(path, { [field]: value });
    expect(receiver.at(path)).toMatchObject([{ method: 'POST', body: text, headers: { 'content-type': type } }]);
  });

  it('has the type that the user gave, and the method', async () => {
    await jobs.run('/typed', { method: 'PUT', body: { a: 1 }, headers: { 'content-TYPE': 'application/vnd.x+json' } });
    const [call] = receiver.at('/typed');
    expect(call).toMatchObject({ method: 'PUT', headers: { 'content-type': 'application/vnd.x+json' } });
  });
});

describe.concurrent('a result', () => {
  const answers: [string, Record<string, string>, string | Buffer, object][] = [
    ['json', { 'content-type': 'application/json' }, '{"a":[1]}', { body: { a: [1] } }],
    ['vendor', { 'content-type': 'application/x+json; charset=utf-8' }, '7', { body: 7 }],
    ['broken', { 'content-type': 'application/json' }, '{"a":', { bodyText: '{"a":' }],
    ['nul', { 'content-type': 'application/json' }, '"\\u0000"', { bodyText: '"\\u0000"' }],
    ['text', { 'content-type': 'text/plain' }, 'ünï', { bodyText: 'ünï' }],
    ['none', {}, '', { body: null }],
    ['binary', {}, Buffer.from([0xff, 0, 1]), { bodyBase64: '/wAB' }],
    ['zeros', { 'content-type': 'text/plain' }, Buffer.from([0, 0]), { bodyBase64: 'AAA=' }],
  ];
  it.each(answers)('of %s', async (name, headers, body, kept) => {
    receiver.on(`/result-${name}`, (_request, response) => void response.writeHead(201, headers).end(body));
    const { status, result, error } = await jobs.run(`/result-${name}`);
    expect([status, error]).toEqual(['succeeded', null]);
    expect(result).toMatchObject({ status: 201, truncated: false, ...kept, durationMs: expect.any(Number) });
    expect(result.headers).toMatchObject(headers);
  });

  it('keeps 64 KiB of a body, and says when there was more', async () => {
    const [exact, more] = [64 * 1024, 64 * 1024 + 1].map((length) => 'x'.repeat(length));
    receiver.on('/size-exact', answer(200, {}, exact));
    receiver.on('/size-more', answer(200, { 'content-type': 'application/json' }, more));
    const [one, other] = await Promise.all([jobs.run('/size-exact'), jobs.run('/size-more')]);
    expect([one.result.bodyText.length, one.result.truncated]).toEqual([64 * 1024, false]);
    expect([other.status, other.result.bodyText.length, other.result.truncated]).toEqual([
      'succeeded',
      64 * 1024,
      true,
    ]);
  });

  it('of an answer that breaks off is what came, and the status line decides', async () => {
    receiver.on('/cut', (_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      setTimeout(() => response.destroy(), 50);
    });
    receiver.on('/slow-end', (_request, response) => void response.writeHead(200).write('slow'));
    const [cut, slow] = await Promise.all([jobs.run('/cut'), jobs.run('/slow-end', { timeout: '300ms' })]);
    expect([cut.status, cut.result.bodyText, cut.result.truncated]).toEqual(['succeeded', 'half', true]);
    expect([slow.status, slow.result.bodyText, slow.result.truncated]).toEqual(['succeeded', 'slow', true]);
    expect(receiver.at('/cut')).toHaveLength(1);
  });

  it('hides secrets that the target sends back', async () => {
    receiver.on('/leak', answer(200, { 'x-api-key': 'hunter2', 'x-ok': 'seen' }));
    const { result } = await jobs.run('/leak');
    expect(result.headers).toMatchObject({ 'x-api-key': '[redacted]', 'x-ok': 'seen' });
  });

  it('is what successOn says it is', async () => {
    receiver.on('/found', answer(302, { location: '/elsewhere' }));
    const [plain, wanted] = await Promise.all([jobs.run('/found'), jobs.run('/found', { successOn: [302] })]);
    expect([plain.status, plain.error.code, plain.error.status]).toEqual(['failed', 'httpStatus', 302]);
    expect(wanted.status).toBe('succeeded');
    const followed = await jobs.run('/found', { followRedirects: true });
    expect([followed.status, followed.result.status]).toEqual(['succeeded', 200]);
  });
});

describe.concurrent('a retry', () => {
  it('comes after growing gaps, with the same key and the next number', async () => {
    receiver.on('/flaky', (_request, response, nth) => void response.writeHead(nth < 4 ? 503 : 200).end());
    const job = await jobs.run('/flaky', {}, { retry: { ...fast, initialInterval: '200ms', maxInterval: '10s' } });
    expect(job).toMatchObject({ status: 'succeeded', attempts: 4, error: null, nextAttemptAt: null });
    const calls = receiver.at('/flaky');
    const gaps = calls.slice(1).map(({ at }, index) => at - (calls[index]?.at ?? 0));
    expect(gaps[0]).toBeGreaterThanOrEqual(195);
    expect(gaps[1]).toBeGreaterThanOrEqual(395);
    expect(gaps[2]).toBeGreaterThanOrEqual(795);
    expect(new Set(calls.map(({ headers }) => headers['idempotency-key']))).toEqual(new Set([job.id]));
    expect(calls.map(({ headers }) => headers['x-perdure-attempt'])).toEqual(['1', '2', '3', '4']);
    const rows = await jobs.attemptsOf(job);
    expect(rows.map(({ number, outcome, httpStatus }) => [number, outcome, httpStatus])).toEqual([
      ...[1, 2, 3].map((number) => [number, 'answered', 503]),
      [4, 'answered', 200],
    ]);
    for (const row of rows) {
      expect(row).toMatchObject({ worker: instance.config.workerId, durationMs: expect.any(Number) });
      expect(Date.parse(row.finishedAt)).toBeGreaterThanOrEqual(Date.parse(row.startedAt));
    }
    expect(rows[0].error.code).toBe('httpStatus');
    expect(rows[3].error).toBeNull();
  });

  it('shows its time while it waits, and can be had at once', async () => {
    receiver.on('/patient', (_request, response, nth) => void response.writeHead(nth === 1 ? 500 : 200).end());
    const { id } = await jobs.submit('/patient', {}, { retry: { initialInterval: '1h', maxInterval: '1h' } });
    await jobs.reach(id, 'retrying');
    const waiting = await jobs.get(id);
    expect(waiting).toMatchObject({ attempts: 1, finishedAt: null, result: { status: 500 } });
    const aheadMs = Date.parse(waiting.nextAttemptAt) - Date.now();
    expect(aheadMs).toBeGreaterThan(0.75 * 3_600_000);
    expect(aheadMs).toBeLessThan(1.25 * 3_600_000);
    expect((await api.post(`/v1/jobs/${id}/run-now`)).status).toBe(200);
    expect(await jobs.ended({ id })).toMatchObject({ status: 'succeeded', attempts: 2 });
    expect(await api.post(`/v1/jobs/${id}/run-now`)).toMatchObject({ status: 409, body: { code: 'notWaiting' } });
  });

  it('honours Retry-After, up to its cap, in both spellings, and not when told so', async () => {
    const inTwoSeconds = new Date(Date.now() + 3_000).toUTCString();
    receiver.on(
      '/after-1',
      (_r, response, nth) => void response.writeHead(nth > 1 ? 200 : 429, { 'retry-after': '1' }).end(),
    );
    receiver.on('/after-date', answer(503, { 'retry-after': inTwoSeconds }));
    receiver.on('/after-cap', answer(503, { 'retry-after': '86400' }));
    receiver.on('/after-no', answer(503, { 'retry-after': '86400' }));
    receiver.on('/after-bad', answer(503, { 'retry-after': 'soon' }));
    const retry = { ...fast, maxAttempts: 2 };
    const [after, date, cap] = await Promise.all([
      jobs.run('/after-1', {}, { retry }),
      jobs.run('/after-date', {}, { retry }),
      jobs.run('/after-cap', {}, { retry: { ...retry, maxRetryAfter: '700ms' } }),
      jobs.run('/after-no', {}, { retry: { ...retry, respectRetryAfter: false } }),
      jobs.run('/after-bad', {}, { retry }),
    ]);
    const gap = (path: string) => Number(receiver.at(path)[1]?.at) - Number(receiver.at(path)[0]?.at);
    expect([after.status, date.status, cap.status]).toEqual(['succeeded', 'failed', 'failed']);
    expect(gap('/after-1')).toBeGreaterThanOrEqual(990);
    expect(Number(receiver.at('/after-date')[1]?.at)).toBeGreaterThanOrEqual(Date.parse(inTwoSeconds) - 10);
    expect(gap('/after-cap')).toBeGreaterThanOrEqual(690);
    expect(gap('/after-no')).toBeLessThan(5_000);
    expect(gap('/after-bad')).toBeLessThan(5_000);
  });

  it('is not made when the target forbids it, or of an answer that is not to be retried', async () => {
    receiver.on('/forbids', answer(503, { 'X-Perdure-No-Retry': 'true' }));
    receiver.on('/gone', answer(404));
    receiver.on('/own-rule', answer(404));
    const [forbids, gone, own] = await Promise.all([
      jobs.run('/forbids', {}, { retry: fast }),
      jobs.run('/gone', {}, { retry: fast }),
      jobs.run('/own-rule', {}, { retry: { ...fast, retryOn: ['4xx'], maxAttempts: 3 } }),
    ]);
    expect([forbids.status, forbids.attempts]).toEqual(['failed', 1]);
    expect([gone.status, gone.attempts, gone.error.code, gone.error.status]).toEqual(['failed', 1, 'httpStatus', 404]);
    expect([own.status, own.attempts]).toEqual(['failed', 3]);
  });

  it('follows where nobody listens and where nobody answers', async () => {
    void jobs.hang('/hangs');
    const retry = { ...fast, maxAttempts: 2 };
    const [refused, silent] = await Promise.all([
      jobs.run(NOBODY, {}, { retry }),
      jobs.run('/hangs', { timeout: '200ms' }, { retry }),
    ]);
    expect([refused.status, refused.attempts, refused.error.code]).toEqual(['failed', 2, 'network']);
    expect([silent.status, silent.attempts, silent.error.code]).toEqual(['failed', 2, 'timeout']);
    expect((await jobs.attemptsOf(refused)).map(({ outcome }) => outcome)).toEqual(['notSent', 'notSent']);
    const rows = await jobs.attemptsOf(silent);
    expect(rows.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown']);
    expect(rows[0].durationMs).toBeGreaterThanOrEqual(190);
  });
});

describe.concurrent('atMostOnce', () => {
  const retry = { ...fast, maxAttempts: 2 };
  const delivery = 'atMostOnce';

  it('ends as unknown where the call may have arrived, and is not made again', async () => {
    void jobs.hang('/amo-hangs');
    const job = await jobs.run('/amo-hangs', { timeout: '300ms' }, { retry, delivery });
    expect(job).toMatchObject({ status: 'unknown', attempts: 1, error: { code: 'outcomeUnknown' } });
    expect(receiver.at('/amo-hangs')).toHaveLength(1);
  });

  it('retries what was provably not sent, and 429', async () => {
    receiver.on('/amo-429', (_request, response, nth) => void response.writeHead(nth > 1 ? 200 : 429).end());
    const [refused, limited] = await Promise.all([
      jobs.run(NOBODY, {}, { retry, delivery }),
      jobs.run('/amo-429', {}, { retry, delivery }),
    ]);
    expect([refused.status, refused.attempts]).toEqual(['failed', 2]);
    expect([limited.status, limited.attempts]).toEqual(['succeeded', 2]);
  });

  it('does not retry an answer, even one that retryOn names', async () => {
    receiver.on('/amo-503', answer(503));
    const job = await jobs.run('/amo-503', {}, { retry, delivery });
    expect([job.status, job.attempts, job.error.code]).toEqual(['failed', 1, 'httpStatus']);
  });
});
