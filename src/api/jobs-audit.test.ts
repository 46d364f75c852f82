// A job and its row of the audit log are written together: there is none without the other.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { AUTH_ENVIRONMENT, bearer, signToken } from '../testing/access.ts';
import { type Api, createApi } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';

let instance: Instance;
let api: Api;
let ada: { authorization: string };
let acme: { authorization: string };
beforeAll(async () => {
  instance = await startInstance(AUTH_ENVIRONMENT);
  api = createApi(instance.url);
  ada = bearer(await signToken({ sub: 'ada' }));
  acme = bearer(await signToken({ sub: 'wile', tenant: 'acme' }));
});
afterAll(() => instance.stop());
afterEach(() => instance.services.db.query('alter table audit_log drop constraint if exists never'));

const later = { http: { url: 'https://api.example.com/' }, delay: '1h' };
const rowsOf = async (id: string, who = ada) => (await api.get(`/v1/audit?target=${id}`, who)).body.items;
const refuseRows = () =>
  instance.services.db.query('alter table audit_log add constraint never check (false) not valid');
const countJobs = async () =>
  (await instance.services.db.query<{ n: number }>('select count(*)::int as n from jobs'))[0]?.n;

test('the row says who made the job and in which request, one for each job however many come at once', async () => {
  const makers = Array.from({ length: 40 }, (_, nth) => (nth % 3 === 0 ? acme : ada));
  const made = await Promise.all(makers.map((who) => api.post('/v1/jobs', later, who)));
  for (const [nth, { status, body, headers }] of made.entries()) {
    expect(status).toBe(201);
    const [tenant, actor] = makers[nth] === acme ? ['acme', 'wile'] : ['default', 'ada'];
    const requestId = headers.get('x-request-id');
    const what = { action: 'job.create', target: { kind: 'job', id: body.id }, requestId, detail: { status: 201 } };
    const id = expect.stringMatching(/^aud_/);
    expect(await rowsOf(body.id, makers[nth])).toEqual([
      { id, at: expect.any(String), tenant, actor, auth: 'jwt', ...what },
    ]);
  }
});

test('a job that depends on another has its row, too', async () => {
  const { id } = (await api.post('/v1/jobs', later, ada)).body;
  const made = await api.post('/v1/jobs', { ...later, dependsOn: [id] }, ada);
  expect([made.status, (await rowsOf(made.body.id)).length]).toEqual([201, 1]);
});

test('of requests with one key the first is audited as made, the others as replays', async () => {
  const withKey = { ...ada, 'idempotency-key': 'audited-once' };
  const made = await Promise.all(Array.from({ length: 5 }, () => api.post('/v1/jobs', later, withKey)));
  expect(made.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201]);
  expect((await api.post('/v1/jobs', { ...later, name: 'other' }, withKey)).status).toBe(422);
  const details = (await rowsOf(made[0]?.body.id)).map(({ detail }: { detail: unknown }) => JSON.stringify(detail));
  const replayed = JSON.stringify({ status: 200, replayed: true });
  expect(details.sort()).toEqual([replayed, replayed, replayed, replayed, JSON.stringify({ status: 201 })]);
});

test.each([
  ['one', 1],
  ['many at once', 20],
])('where rows cannot be written, nothing is accepted: %s', async (_name, count) => {
  await refuseRows();
  const before = await countJobs();
  const post = (nth: number) => api.post('/v1/jobs', later, { ...ada, 'idempotency-key': `refused-${count}-${nth}` });
  const refused = await Promise.all(Array.from({ length: count }, (_, nth) => post(nth)));
  expect(new Set(refused.map(({ status, body }) => `${status} ${body.code}`))).toEqual(
    new Set(['503 storeUnavailable']),
  );
  expect(await countJobs()).toBe(before);
  await instance.services.db.query('alter table audit_log drop constraint never');
  const made = await post(0);
  expect([made.status, (await rowsOf(made.body.id)).length]).toEqual([201, 1]);
});

test('where the row of a replay cannot be written, the replay is held back', async () => {
  const withKey = { ...ada, 'idempotency-key': 'replayed-unaudited' };
  await api.post('/v1/jobs', later, withKey);
  await refuseRows();
  const { status, headers } = await api.post('/v1/jobs', later, withKey);
  expect([status, headers.get('location'), headers.get('idempotency-replayed')]).toEqual([503, null, null]);
});
