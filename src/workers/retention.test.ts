// Retention in a whole instance: what is old goes with all that belongs to it, and what is still needed stays.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Api, createApi, eventually } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';

let perdure: Instance;
let api: Api;
let receiver: Receiver;
const hook = (path = '/ok') => ({ url: `${receiver.url}${path}` });

beforeAll(async () => {
  [perdure, receiver] = await Promise.all([startInstance(), startReceiver()]);
  receiver.on('/no', (_request, response) => response.writeHead(400).end());
  api = createApi(perdure.url);
});
afterAll(async () => {
  await perdure.stop();
  await receiver.stop();
});

const query = <Row>(text: string, values: unknown[] = []) => perdure.services.db.query<Row>(text, values);
const count = async (text: string, values: unknown[] = []) =>
  (await query<{ n: number }>(`select count(*)::int as n from ${text}`, values))[0]?.n;

/** As if all that is over had happened so many days earlier. */
async function age(days: number) {
  for (const table of ['jobs', 'runs', 'batches']) {
    await query(
      `update ${table} set created_at = created_at - $1 * interval '1 day', finished_at = finished_at - $1 * interval '1 day'
       ${table === 'batches' ? '' : ', check_at = null'} where finished_at is not null`,
      [days],
    );
  }
  await query(`update idempotency_keys set created_at = created_at - $1 * interval '1 day'`, [days]);
  await query(`update events set created_at = created_at - $1 * interval '1 day'`, [days]);
  await query(`update ticks set nominal_time = nominal_time - $1 * interval '1 day'`, [days]);
}

async function ended(path: string): Promise<string> {
  const made = await api.post('/v1/jobs', { http: hook(path) }, { 'idempotency-key': `key-${path}` });
  expect((await api.get(`/v1/jobs/${made.body.id}?wait=20s`)).body.finishedAt).not.toBeNull();
  return made.body.id;
}

/** A change of the setting begins a round. */
const keep = (retention: string) => api.patch('/v1/settings', { retention });
const isThere = async (path: string) => (await api.get(path)).status === 200;

test('what is old goes with all that belongs to it, what is younger stays', { timeout: 60_000 }, async () => {
  const old = await ended('/no');
  const batch = (await api.post('/v1/batches', { items: [{ http: hook() }, { http: hook() }] })).body.id;
  const definition = { steps: [{ id: 'each', forEach: '${ [1, 2, 3] }', http: hook() }] };
  const run = (await api.post('/v1/runs', { definition })).body.id;
  await eventually(async () => (await api.get(`/v1/batches/${batch}`)).body.status === 'finished');
  await eventually(async () => (await api.get(`/v1/runs/${run}`)).body.status === 'succeeded');
  await api.put('/v1/schedules/hourly', { every: '1h', job: { http: hook() } });
  await query(
    `insert into ticks (id, tenant, schedule_id, nominal_time, outcome, run_status)
     values ('hourly-x', 'default', 'hourly', date_trunc('hour', now()), 'ran', 'succeeded')`,
  );
  const parent = await ended('/parent');
  await age(40);
  const young = await ended('/young');
  const blocking = (await api.post('/v1/jobs', { http: hook(), delay: '1h' })).body.id;
  const child = await api.post('/v1/jobs', { http: hook(), dependsOn: [parent, blocking] });
  expect(child.body.status).toBe('blocked');

  await keep('29d');
  await eventually(async () => !(await isThere(`/v1/jobs/${old}`)));
  await eventually(async () => (await count('ticks')) === 0);
  await eventually(async () => !(await isThere(`/v1/batches/${batch}`)));
  expect(await isThere(`/v1/runs/${run}`)).toBe(false);
  expect(await count('dead_letters')).toBe(0);
  expect(await count('attempts where job_id = $1', [old])).toBe(0);
  expect(await count('jobs where run_id = $1 or batch_id = $2', [run, batch])).toBe(0);
  await eventually(async () => (await count(`idempotency_keys where key = 'key-/no'`)) === 0);

  expect(await isThere(`/v1/jobs/${young}`)).toBe(true);
  expect(await isThere(`/v1/jobs/${parent}`)).toBe(true);
  expect(await count(`idempotency_keys where key in ('key-/young', 'key-/parent')`)).toBe(2);
  expect((await api.get(`/v1/jobs/${child.body.id}`)).body.status).toBe('blocked');
  const metrics = (await api.get('/metrics')).text;
  expect(metrics).toMatch(/perdure_retention_removed_total\{table="jobs"\} [1-9]/);

  // A nominal time whose row is gone may have run: it does not run again.
  const from = new Date(Date.now() - 41 * 86_400_000).toISOString().replace(/\.\d+/, '');
  const to = new Date(Date.now() - 39 * 86_400_000).toISOString().replace(/\.\d+/, '');
  const refused = await api.post('/v1/schedules/hourly/backfill', { from, to });
  expect([refused.status, refused.body.errors?.[0]?.pointer]).toEqual([422, '/from']);
});

test('a key outlives a job that is kept for less than thirty days', async () => {
  const id = await ended('/brief');
  await age(10);
  await keep('5d');
  await eventually(async () => !(await isThere(`/v1/jobs/${id}`)));
  const again = await api.post('/v1/jobs', { http: hook('/brief') }, { 'idempotency-key': 'key-/brief' });
  expect([again.status, again.body.id]).toEqual([200, id]);
  expect(receiver.at('/brief')).toHaveLength(1);
});
