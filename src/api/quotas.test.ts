// What a tenant may not have more of is refused with 429, whoever asks and however it is sent; others are not touched.
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Answer, createApi, type Json } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { expectProblem } from '../testing/problem.ts';

const SECRET = 'quota-tests-use-a-secret-of-their-own-of-48-bytes';
const LATER = { http: { url: 'http://127.0.0.1:65000/' }, delay: '1h' };

let instance: Instance;
let tokens: Record<string, string>;
beforeAll(async () => {
  instance = await startInstance({
    PERDURE_AUTH: 'jwt',
    PERDURE_JWT_SECRET: SECRET,
    PERDURE_JWT_ISSUER: 'test',
    PERDURE_JWT_AUDIENCE: 'perdure',
    PERDURE_QUOTA_WAITING_JOBS: '5',
    PERDURE_QUOTA_SCHEDULES: '2',
    PERDURE_QUOTA_BODY_BYTES: '2000',
  });
  const tenants = ['default', 'red', 'blue', 'green', 'fast', 'grown'];
  tokens = Object.fromEntries(await Promise.all(tenants.map(async (tenant) => [tenant, await tokenOf(tenant)])));
});
afterAll(() => instance.stop());

function tokenOf(tenant: string): Promise<string> {
  return new SignJWT({ tenant, scope: 'admin' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(`user of ${tenant}`)
    .setIssuer('test')
    .setAudience('perdure')
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(new TextEncoder().encode(SECRET));
}

function as(tenant: string) {
  const api = createApi(instance.url);
  const headers = { authorization: `Bearer ${tokens[tenant]}` };
  return {
    get: (path: string) => api.get(path, headers),
    post: (path: string, body: unknown, more = {}) => api.post(path, body, { ...headers, ...more }),
    put: (path: string, body: unknown) => api.put(path, body, headers),
    delete: (path: string) => api.delete(path, headers),
  };
}

function expectFull(answer: Answer<Json>): void {
  expectProblem(answer);
  expect([answer.status, answer.body.code]).toEqual([429, 'quotaExceeded']);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
}

describe('jobs that wait', () => {
  it('are as many as allowed, also when asked for at once, and make room when they end', async () => {
    const red = as('red');
    const answers = await Promise.all(Array.from({ length: 12 }, () => red.post('/v1/jobs', LATER)));
    const accepted = answers.filter(({ status }) => status === 201);
    expect(accepted).toHaveLength(5);
    answers.filter(({ status }) => status !== 201).forEach(expectFull);
    expect((await as('blue').post('/v1/jobs', LATER)).status).toBe(201);
    await red.post(`/v1/jobs/${accepted[0]?.body.id}/cancel`, {});
    await expect.poll(async () => (await red.post('/v1/jobs', LATER)).status, { timeout: 5_000 }).toBe(201);
    expectFull(await red.post('/v1/jobs', LATER));
  });

  it('count each item of a batch, which is kept as a whole or not at all', async () => {
    const green = as('green');
    const batch = (count: number) => ({ items: Array.from({ length: count }, () => LATER) });
    expectFull(await green.post('/v1/batches', batch(6)));
    expect((await green.post('/v1/batches', batch(5))).status).toBe(201);
    expectFull(await green.post('/v1/batches', batch(1)));
    expect((await green.get('/v1/jobs')).body.items).toHaveLength(5);
    expectFull(await green.post('/v1/runs', { definition: { steps: [{ id: 'a', wait: { for: '1h' } }] } }));
  });

  it('do not stand in the way of a replay', async () => {
    const blue = as('blue');
    const key = { 'idempotency-key': 'once' };
    const first = await blue.post('/v1/jobs', LATER, key);
    expect(first.status).toBe(201);
    await blue.post('/v1/batches', { items: [LATER, LATER, LATER] });
    expectFull(await blue.post('/v1/jobs', LATER));
    const again = await blue.post('/v1/jobs', LATER, key);
    expect([again.status, again.text]).toEqual([200, first.text]);
  });
});

it('schedules are as many as allowed; those there are may be replaced', async () => {
  const fast = as('fast');
  const put = (id: string, note = '') =>
    fast.put(`/v1/schedules/${id}`, { every: '1h', note, job: { http: LATER.http } });
  expect([(await put('a')).status, (await put('b')).status]).toEqual([201, 201]);
  expectFull(await put('c'));
  expect((await put('a', 'new')).status).toBe(200);
  await fast.delete('/v1/schedules/b');
  expect((await put('c')).status).toBe(201);
});

it('bodies are at most as long as the tenant may send', async () => {
  const big = { http: { ...LATER.http, bodyText: 'x'.repeat(2_000) } };
  expect((await as('fast').post('/v1/jobs', big)).status).toBe(413);
});

describe('limits of one tenant', () => {
  it('are set by an admin of the tenant default, hold at once, and win over the defaults', async () => {
    const limits = { requestsPerSecond: 3, waitingJobs: 0, schedules: null, bodyBytes: null };
    const put = await as('default').put('/v1/quotas/grown', limits);
    expect([put.status, put.body]).toEqual([200, { tenant: 'grown', ...limits }]);
    expect((await as('default').get('/v1/quotas/grown')).body).toEqual({ tenant: 'grown', ...limits });
    const answers = await Promise.all(Array.from({ length: 12 }, () => as('grown').post('/v1/jobs', LATER)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(6);
    for (const answer of refused) {
      expectProblem(answer);
      expect([answer.body.code, answer.headers.get('retry-after')]).toEqual(['tooManyRequests', '1']);
    }
    expect((await as('default').get('/v1/whoami')).status).toBe(200);
  });

  it('are no business of other tenants', async () => {
    const answer = await as('red').put('/v1/quotas/red', { waitingJobs: 0 });
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
  });
});
