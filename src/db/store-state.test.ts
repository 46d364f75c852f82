// The counts behind the gauges: right, and found without reading what is over.
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { createTestDatabase } from '../testing/database.ts';
import type { Queryable } from './pool.ts';
import { readStoreState } from './store-state.ts';

const FINAL = 20_000;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let client: pg.Client;
let db: Queryable;
beforeAll(async () => {
  database = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
  client = new pg.Client({ connectionString: database.databaseUrl });
  await client.connect();
  db = { query: async (text, values) => (await client.query(text, values)).rows };
  await client.query(
    `insert into jobs (id, tenant, status, spec, host, labels, outbound_key, created_at, updated_at, finished_at)
     select 'job_' || n, 'default', 'succeeded', '{}', 'h', '{}', '', now(), now(), now() from generate_series(1, $1) n`,
    [FINAL],
  );
  await client.query(
    `insert into dead_letters (id, tenant, kind, job_id, reason, error, attempts, fingerprint, target, host, created_at, redriven_as)
     select 'dl_' || n, 'default', 'job', 'job_' || n, 'nonRetryable', '{}', 1, '', '', 'h', now(),
       case when n > 3 then 'job_x' end from generate_series(1, $1) n`,
    [FINAL],
  );
  await client.query('analyze');
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

async function insertOpen(id: string, status: string, columns: Record<string, string>): Promise<void> {
  const names = Object.keys(columns).map((name) => `, ${name}`);
  const values = Object.values(columns).map((value) => `, ${value}`);
  await client.query(
    `insert into jobs (id, tenant, status, spec, host, labels, outbound_key, created_at, updated_at${names.join('')})
     values ($1, 'default', $2, '{}', 'h', '{}', '', now() - interval '1 hour', now() - interval '20 s'${values.join('')})`,
    [id, status],
  );
}

test('open jobs are counted by status, with the time for which the first has been due', async () => {
  await insertOpen('late', 'scheduled', { run_at: `now() - interval '90 s'` });
  await insertOpen('ahead', 'scheduled', { run_at: `now() + interval '1 hour'` });
  await insertOpen('waits', 'blocked', {});
  await insertOpen('queued', 'queued', {});
  await insertOpen('step', 'running', { run_id: `'run_1'`, step_id: `'a'` });
  const { jobs, overdue, deadLetters } = await readStoreState(db);
  expect(Object.fromEntries(jobs.map(({ status, count }) => [status, count]))).toEqual({
    scheduled: 2,
    blocked: 1,
    queued: 1,
  });
  const seconds = Object.fromEntries(overdue.map((row) => [row.status, Math.round(row.seconds / 10) * 10]));
  expect(seconds).toEqual({ scheduled: 90, blocked: 0, queued: 20 });
  expect(deadLetters).toEqual([{ tenant: 'default', reason: 'nonRetryable', count: 3 }]);
});

test('what is final is not read: no count scans jobs or dead letters', async () => {
  const scans = async () => {
    await client.query('select pg_stat_force_next_flush()');
    const { rows } = await client.query<{ scans: string }>(
      `select sum(seq_scan) as scans from pg_stat_user_tables where relname in ('jobs', 'dead_letters')`,
    );
    return Number(rows[0]?.scans);
  };
  const before = await scans();
  await readStoreState(db);
  expect(await scans()).toBe(before);
  // Else the comparison above would prove nothing.
  await client.query('select count(spec) from jobs');
  expect(await scans()).toBeGreaterThan(before);
});
