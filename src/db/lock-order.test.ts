// Many jobs are locked in the order of their ids, by whoever does it: so nobody waits for one who waits for them.
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';

import { eventually } from '../testing/api.ts';
import { createTestDatabase } from '../testing/database.ts';
import { createDatabase, type Database } from './pool.ts';
import { setCheck } from './relay.ts';
import { leaveCarrier } from './riders.ts';
import { finishRun } from './run-finish.ts';
import { setPaused } from './runs.ts';
import { closeAttempts, type ClosedAttempt, closeLaneAttempts } from './settle-many.ts';

/** The first by id is the last by number, and the last in the table. */
const [LAST, FIRST] = ['run/call/9', 'run/call/10'];

let files: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Database;
beforeAll(async () => {
  files = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
  db = createDatabase({ databaseUrl: files.databaseUrl, poolSize: 6 });
});
beforeEach(async () => {
  await db.query('delete from jobs');
  await db.query('delete from runs');
});
afterAll(async () => {
  await db.close();
  await files.drop();
});

async function insertRuns(...ids: string[]): Promise<void> {
  for (const id of ids) {
    await db.query(
      `insert into runs (id, tenant, status, notify, labels, priority, key_base, parent_run_id, created_at, updated_at)
       values ($1, 'default', 'running', '[]', '{}', 3, 'k', $2, now(), now())`,
      [id, id === 'root' ? null : 'root'],
    );
  }
}

async function insertJobs(status: 'queued' | 'running', columns = ''): Promise<void> {
  for (const [n, id] of [LAST, FIRST].entries()) {
    await db.query(
      `insert into jobs (id, tenant, status, spec, host, labels, outbound_key, attempt_id, run_id, step_id, item_index,
         carrier, created_at, updated_at)
       values ($1, 'default', $2, '{"notify": []}', 'h', '{}', 'k', $3, $4, $5, $6, $7, now(), now())`,
      columns === 'run'
        ? [id, status, `att-${id}`, 'run', 'call', 9 + n, null]
        : [id, status, status === 'running' ? `att-${id}` : null, null, null, null, 'carrier'],
    );
  }
}

const closed = (jobId: string): ClosedAttempt => ({
  ...{ jobId, attemptId: `att-${jobId}` },
  outcome: { outcome: 'answered', httpStatus: 200, error: null, durationMs: 1 },
  verdict: { status: 'succeeded', nextAttemptAt: null, result: null, error: null, deadLetter: null },
});

/** While somebody has the first by id, `work` waits for it, and has not taken the last. */
async function waitsAtFirst(table: 'jobs' | 'runs', [first, last]: [string, string], work: () => Promise<unknown>) {
  let waiting: Promise<unknown> | undefined;
  await db.transaction(async (tx) => {
    await tx.query(`select 1 from ${table} where id = $1 for no key update`, [first]);
    waiting = work();
    const isWaiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await eventually(async () => (await db.query(isWaiting)).length === 1);
    const free = `select id from ${table} where id = $1 for no key update skip locked`;
    expect(await tx.query(free, [last])).toEqual([{ id: last }]);
  });
  return waiting;
}

test('results that came in another order', async () => {
  for (const close of [closeLaneAttempts, closeAttempts]) {
    await db.query('delete from jobs');
    await insertJobs('running');
    const settled = await waitsAtFirst('jobs', [FIRST, LAST], () => close(db, [closed(LAST), closed(FIRST)]));
    expect(settled).toHaveLength(2);
  }
});

test('the calls of a run that ends', async () => {
  await insertRuns('run');
  await insertJobs('running', 'run');
  const end = { status: 'canceled', output: null, error: null, deadLetter: null, checkAt: null } as const;
  const settled = await waitsAtFirst('jobs', [FIRST, LAST], () => finishRun(db, { id: 'run', tenant: null }, end));
  expect(settled).toMatchObject({ cut: expect.toSatisfy((cut: string[]) => cut.length === 2) });
});

test('jobs whose next check is set', async () => {
  await insertJobs('running');
  await waitsAtFirst('jobs', [FIRST, LAST], () => setCheck(db, [LAST, FIRST], new Date(), true));
  expect(await db.query('select id from jobs where check_at is not null and seen_in_temporal')).toHaveLength(2);
});

test('jobs that leave their carrier', async () => {
  await insertJobs('queued');
  const left = await waitsAtFirst('jobs', [FIRST, LAST], () => leaveCarrier(db, [LAST, FIRST]));
  expect(left).toHaveLength(2);
});

test('runs that are paused with the runs that are their steps', async () => {
  await insertRuns('root', 'child-9', 'child-10');
  const paused = await waitsAtFirst('runs', ['child-10', 'root'], () => setPaused(db, 'default', 'root', true));
  expect(paused).toHaveLength(3);
});

test('a single statement that meets a deadlock all the same is run again', async () => {
  await insertJobs('running');
  let other: Promise<unknown> | undefined;
  // Holds the second and wants the first: the other, which has waited longer, is the one that is broken off.
  await db.transaction(async (tx) => {
    await tx.query("update jobs set name = 'n' where id = $1", [LAST]);
    other ??= setCheck(db, [LAST, FIRST], null, true);
    const isWaiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await eventually(async () => (await db.query(isWaiting)).length === 1);
    await tx.query("update jobs set name = 'n' where id = $1", [FIRST]);
  });
  await other;
  expect(await db.query("select id from jobs where seen_in_temporal and name = 'n'")).toHaveLength(2);
});
