// Millions of finished jobs: submitting and listing stay as quick as on an empty table, also while retention removes them.
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createApi, eventually } from '../src/testing/api.ts';
import { type Instance, startInstance } from '../src/testing/instance.ts';

const ROWS = Number(process.env.PERDURE_BENCH_ROWS ?? 3_000_000);
const OLD_SHARE = 1 / 3;
const SAMPLES = Number(process.env.PERDURE_BENCH_SAMPLES ?? 1_000);
const MAX_FULL_RATIO = 1.3;
const MAX_RETENTION_RATIO = 2;

let empty: Instance;
let full: Instance;
let admin: pg.Client;

beforeAll(async () => {
  // What is old is kept until the test says otherwise.
  [empty, full] = await Promise.all([startInstance(), startInstance({ PERDURE_RETENTION: '90d' })]);
  admin = new pg.Client({ connectionString: full.databaseUrl });
  await admin.connect();
  await fill();
}, 3_600_000);
afterAll(async () => {
  await admin.end();
  await Promise.all([empty.stop(), full.stop()]);
});

/** Finished jobs of the last 60 days with an attempt and a key each; indexes are built when the rows are there. */
async function fill() {
  const spec = {
    ...{ name: 'grown', http: { method: 'GET', url: 'http://127.0.0.1:9999/x', query: {}, headers: {}, body: null } },
    ...{ delivery: 'atLeastOnce', lane: 'own', priority: 3, dependsOn: [], notify: [], labels: { team: 'a' } },
    retry: { maxAttempts: 5, initialInterval: '1s', backoffCoefficient: 2, maxInterval: '1m', jitter: 0.2 },
  };
  await admin.query(`set session_replication_role = replica; set maintenance_work_mem = '512MB'`);
  const { rows: indexes } = await admin.query<{ name: string; definition: string }>(
    `select indexname as name, indexdef as definition from pg_indexes where schemaname = 'public'
     and tablename in ('jobs', 'attempts', 'idempotency_keys')
     and indexname not in (select conname from pg_constraint)`,
  );
  for (const { name } of indexes) await admin.query(`drop index ${pg.escapeIdentifier(name)}`);
  await admin.query(
    `insert into jobs (id, tenant, name, status, spec, host, labels, attempts, result, outbound_key, created_at, updated_at,
       started_at, finished_at)
     select 'job_' || lpad(n::text, 32, '0'), 'default', 'grown-' || n % 100,
       case when n % 50 = 0 then 'failed' else 'succeeded' end, $1::jsonb, 'host-' || n % 50, '{"team": "a"}', 1,
       '{"status": 200, "headers": {"content-type": "application/json"}, "body": {"ok": true}}', 'key', at, at, at, at
     from (select n, now() - (case when n <= $2 then interval '60 days' else interval '20 days' end)
       * (1 - n::float8 / $3 * 0.3) as at from generate_series(1, $3::int) n) one`,
    [JSON.stringify(spec), Math.floor(ROWS * OLD_SHARE), ROWS],
  );
  await admin.query(
    `insert into attempts (id, job_id, number, outcome, http_status, worker, started_at, finished_at, duration_ms)
     select 'att_' || id, id, 1, 'answered', 200, 'w', created_at, created_at, 5 from jobs`,
  );
  await admin.query(
    `insert into idempotency_keys (tenant, scope, key, fingerprint, resource_id, answer, created_at)
     select 'default', 'POST /v1/jobs', id, 'f', id, '{}', created_at from jobs`,
  );
  for (const { definition } of indexes) await admin.query(definition);
  await admin.query('set session_replication_role = origin');
  await admin.query('vacuum analyze jobs');
  await admin.query('vacuum analyze attempts');
  await admin.query('vacuum analyze idempotency_keys');
}

interface Times {
  submit: number[];
  list: number[];
}

async function timed(into: number[], work: () => Promise<{ status: number }>, status: number) {
  const startedAt = performance.now();
  const answer = await work();
  into.push(performance.now() - startedAt);
  expect(answer.status).toBe(status);
}

let n = 0;
async function sample(instance: Instance, times: Times) {
  const api = createApi(instance.url);
  const spec = { http: { url: 'http://127.0.0.1:9999/x' }, delay: '30d' };
  await timed(times.submit, () => api.post('/v1/jobs', spec, { 'idempotency-key': `bench-${n++}` }), 201);
  const lists = ['', '?status=failed', '?name=grown-7', '?label=team:a', '?status=succeeded&host=host-3'];
  await timed(times.list, () => api.get(`/v1/jobs${lists[n % lists.length]}`), 200);
}

const newTimes = (): Times => ({ submit: [], list: [] });
const at = (times: number[], share: number) => [...times].sort((a, b) => a - b)[Math.floor(times.length * share)] ?? 0;

function report(name: string, { submit, list }: Times) {
  const line = (times: number[]) => `p50 ${at(times, 0.5).toFixed(1)} ms, p99 ${at(times, 0.99).toFixed(1)} ms`;
  console.log(`${name}: submit ${line(submit)}; list ${line(list)} (${submit.length} samples)`);
}

test('a full table answers like an empty one', { timeout: 1_800_000 }, async () => {
  for (let warm = 0; warm < 50; warm++) for (const one of [empty, full]) await sample(one, newTimes());
  const [ofEmpty, ofFull] = [newTimes(), newTimes()];
  // In turns, so that whatever else the machine does hits both.
  for (let at = 0; at < SAMPLES; at++) {
    await sample(empty, ofEmpty);
    await sample(full, ofFull);
  }
  report('empty', ofEmpty);
  report(`${ROWS} finished jobs`, ofFull);
  expect(at(ofFull.submit, 0.99)).toBeLessThan(MAX_FULL_RATIO * at(ofEmpty.submit, 0.99));
  expect(at(ofFull.list, 0.99)).toBeLessThan(MAX_FULL_RATIO * at(ofEmpty.list, 0.99));
});

test('retention removes a third of it and nobody notices', { timeout: 3_600_000 }, async () => {
  const left = async () => {
    const { rows } = await admin.query<{ left: number }>(
      `select count(*)::int as left from jobs where finished_at < now() - interval '30 days'`,
    );
    return rows[0]?.left ?? 0;
  };
  const before = await left();
  const startedAt = performance.now();
  await createApi(full.url).patch('/v1/settings', { retention: '30d' });
  await eventually(async () => (await left()) < before, { timeoutMs: 60_000 });
  const [ofEmpty, during] = [newTimes(), newTimes()];
  for (let at = 0; at < SAMPLES; at++) {
    await sample(empty, ofEmpty);
    await sample(full, during);
  }
  const removed = before - (await left());
  const seconds = (performance.now() - startedAt) / 1_000;
  report('empty', ofEmpty);
  report(`while ${removed} were removed in ${seconds.toFixed(0)} s`, during);
  expect(at(during.submit, 0.99)).toBeLessThan(MAX_RETENTION_RATIO * at(ofEmpty.submit, 0.99));
  expect(at(during.list, 0.99)).toBeLessThan(MAX_RETENTION_RATIO * at(ofEmpty.list, 0.99));
  const goneAfter = await eventually(async () => (await left()) === 0 && performance.now() - startedAt, {
    timeoutMs: 3_000_000,
  });
  console.log(`${before} removed in ${(goneAfter / 1_000).toFixed(0)} s`);
});
