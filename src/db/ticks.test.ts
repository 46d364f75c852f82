// Whoever decides about ticks and whoever counts how they ended come at the same moment, and neither stops the other.
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

import { eventually } from '../testing/api.ts';
import { createTestDatabase } from '../testing/database.ts';
import { createDatabase, type Database } from './pool.ts';
import { findSchedule, insertSchedule, lockSchedule } from './schedules.ts';
import { countRun, decideTick, findTick, insertBackfill, insertTicks } from './ticks.ts';

const NAME = { tenant: 'default', id: 'tick' };
const NOMINAL = new Date('2030-01-01T00:00:00Z');
const TICK = { id: 'tick-1', nominalMs: NOMINAL.getTime() };

let files: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Database;
beforeAll(async () => {
  files = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
  db = createDatabase({ databaseUrl: files.databaseUrl, poolSize: 6 });
  const spec = { job: null, workflow: null, pauseAfterFailures: null };
  await insertSchedule(db, NAME, { spec: spec as never, paused: false, note: '' }, NOMINAL);
  const started = { nominalTime: '', jobId: TICK.id, runId: null, startedAt: NOMINAL.toISOString(), latenessMs: 0 };
  await decideTick(db, NAME, {
    id: TICK.id,
    nominalTime: NOMINAL,
    outcome: 'ran',
    reason: null,
    run: { ...started, outcome: 'ran' },
  });
});
afterAll(async () => {
  await db.close();
  await files.drop();
});

it('a run is counted once, by whoever is first, also while its schedule is held and its tick is written again', async () => {
  let counts: Promise<unknown[]> | undefined;
  await db.transaction(async (tx) => {
    await lockSchedule(tx, NAME);
    counts = Promise.all([countRun(db, TICK.id, 'failed'), countRun(db, TICK.id, 'failed')]);
    await eventually(async () => {
      const [waiting] = await db.query<{ count: number }>(
        `select count(*)::int from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return waiting?.count === 2;
    });
    // Both would wait for the tick if it were taken before its schedule.
    expect(await insertTicks(tx, NAME, [TICK], { outcome: null, reason: null })).toBe(0);
    expect(await insertBackfill(tx, NAME, [TICK], 'skip')).toBe(0);
  });
  expect((await counts)?.filter(Boolean)).toMatchObject([{ id: NAME.id, consecutiveFailures: 1 }]);
  expect(await findSchedule(db, NAME)).toMatchObject({ ran: 1, failed: 1, consecutiveFailures: 1 });
  expect(await findTick(db, TICK.id)).toMatchObject({ outcome: 'ran' });
});

it('a run of a schedule that is gone is counted too, so that nobody looks for it again', async () => {
  await db.query(
    `insert into ticks (id, tenant, schedule_id, nominal_time) values ('gone-1', 'default', 'gone', now())`,
  );
  expect(await countRun(db, 'gone-1', 'failed')).toBeNull();
  expect(await db.query(`select run_status as status from ticks where id = 'gone-1'`)).toEqual([{ status: 'failed' }]);
});

it('what is no run of a schedule is counted nowhere', async () => {
  expect(await countRun(db, 'job-of-nobody', 'failed')).toBeNull();
  expect(await findSchedule(db, NAME)).toMatchObject({ failed: 1 });
});
