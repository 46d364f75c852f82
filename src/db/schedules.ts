// The schedules table: what shall be, what Temporal has been told of it, and what has become of it so far.
import type { ScheduleName, ScheduleSpec, TickOutcome } from '../contract/schedule.ts';
import type { Queryable } from './pool.ts';

export interface LastFire {
  nominalTime: string;
  outcome: TickOutcome;
  jobId: string | null;
  runId: string | null;
  startedAt: string;
  latenessMs: number;
}

export interface ScheduleRow {
  tenant: string;
  id: string;
  spec: ScheduleSpec;
  paused: boolean;
  note: string;
  generation: number;
  appliedGeneration: number;
  appliedFingerprint: string | null;
  ledgerUntil: Date;
  lookAt: Date | null;
  compareAt: Date;
  ran: number;
  skipped: number;
  missed: number;
  failed: number;
  consecutiveFailures: number;
  lastFire: LastFire | null;
  createdAt: Date;
  updatedAt: Date;
  deletedAt: Date | null;
}

export interface DesiredSchedule {
  spec: ScheduleSpec;
  paused: boolean;
  note: string;
}

export const SCHEDULE_COLUMNS = `tenant, id, spec, paused, note, generation, applied_generation as "appliedGeneration",
  applied_fingerprint as "appliedFingerprint", ledger_until as "ledgerUntil", look_at as "lookAt",
  compare_at as "compareAt", ran, skipped, missed, failed,
  consecutive_failures as "consecutiveFailures", last_fire as "lastFire", created_at as "createdAt",
  updated_at as "updatedAt", deleted_at as "deletedAt"`;

/** For listPage. */
export const SCHEDULE_LIST = {
  table: 'schedules',
  columns: SCHEDULE_COLUMNS,
  conditions: {},
  where: 'deleted_at is null',
};

export async function findSchedule(db: Queryable, { tenant, id }: ScheduleName): Promise<ScheduleRow | null> {
  const rows = await db.query<ScheduleRow>(
    `select ${SCHEDULE_COLUMNS} from schedules where tenant = $1 and id = $2 and deleted_at is null`,
    [tenant, id],
  );
  return rows[0] ?? null;
}

/** Also one that is deleted here and perhaps not yet in Temporal. */
export async function findScheduleOrTombstone(
  db: Queryable,
  { tenant, id }: ScheduleName,
): Promise<ScheduleRow | null> {
  const rows = await db.query<ScheduleRow>(`select ${SCHEDULE_COLUMNS} from schedules where tenant = $1 and id = $2`, [
    tenant,
    id,
  ]);
  return rows[0] ?? null;
}

/** Whoever decides about ticks holds this lock, so that of two decisions the second sees the first. */
export async function lockSchedule(tx: Queryable, { tenant, id }: ScheduleName): Promise<ScheduleRow | null> {
  const rows = await tx.query<ScheduleRow>(
    `select ${SCHEDULE_COLUMNS} from schedules where tenant = $1 and id = $2 and deleted_at is null for no key update`,
    [tenant, id],
  );
  return rows[0] ?? null;
}

/** Also revives a deleted one that Temporal has not forgotten yet. Null when there is one: lock and change that. */
export async function insertSchedule(
  tx: Queryable,
  { tenant, id }: ScheduleName,
  { spec, paused, note }: DesiredSchedule,
  now: Date,
): Promise<ScheduleRow | null> {
  const rows = await tx.query<ScheduleRow>(
    `insert into schedules as old (tenant, id, spec, paused, note, ledger_until, look_at, compare_at, created_at, updated_at)
     values ($1, $2, $3::jsonb, $4, $5, $6::timestamptz, $6::timestamptz, $6::timestamptz, $6::timestamptz, $6::timestamptz)
     on conflict (tenant, id) do update set spec = excluded.spec, paused = excluded.paused, note = excluded.note,
       generation = old.generation + 1, ledger_until = excluded.ledger_until, look_at = excluded.look_at,
       compare_at = excluded.compare_at, ran = 0, skipped = 0, missed = 0, failed = 0, consecutive_failures = 0,
       last_fire = null, created_at = excluded.created_at, updated_at = excluded.updated_at, deleted_at = null
     where old.deleted_at is not null
     returning ${SCHEDULE_COLUMNS}`,
    [tenant, id, JSON.stringify(spec), paused, note, now],
  );
  return rows[0] ?? null;
}

/** A schedule that runs again after a pause gets all its failures back. */
export async function updateSchedule(
  tx: Queryable,
  { tenant, id }: ScheduleName,
  { spec, paused, note }: DesiredSchedule,
): Promise<ScheduleRow> {
  const rows = await tx.query<ScheduleRow>(
    `update schedules set spec = $3::jsonb, paused = $4, note = $5, generation = generation + 1, updated_at = now(),
       look_at = now(), compare_at = now(),
       consecutive_failures = case when paused and not $4 then 0 else consecutive_failures end
     where tenant = $1 and id = $2 and deleted_at is null returning ${SCHEDULE_COLUMNS}`,
    [tenant, id, JSON.stringify(spec), paused, note],
  );
  if (!rows[0]) throw new Error(`schedule ${id} was locked and is gone`);
  return rows[0];
}

export async function markDeleted(db: Queryable, { tenant, id }: ScheduleName): Promise<ScheduleRow | null> {
  const rows = await db.query<ScheduleRow>(
    `with deleted as (
       update schedules set deleted_at = now(), generation = generation + 1, look_at = null, compare_at = now()
       where tenant = $1 and id = $2 and deleted_at is null returning ${SCHEDULE_COLUMNS}),
     dropped as (
       update ticks set outcome = 'skippedOverlap', reason = 'The schedule was deleted before it had its turn.'
       where tenant = $1 and schedule_id = $2 and outcome is null and waiting_since is not null
         and exists (select 1 from deleted))
     select * from deleted`,
    [tenant, id],
  );
  return rows[0] ?? null;
}

/** Once Temporal has forgotten it; not if it was revived meanwhile. */
export async function removeDeleted(db: Queryable, { tenant, id, generation }: ScheduleRow): Promise<void> {
  await db.query('delete from schedules where tenant = $1 and id = $2 and generation = $3 and deleted_at is not null', [
    tenant,
    id,
    generation,
  ]);
}

/** False when the schedule has changed meanwhile, so that Temporal must hear of it again. */
export async function markApplied(
  db: Queryable,
  { tenant, id, generation }: ScheduleRow,
  fingerprint: string,
): Promise<boolean> {
  const rows = await db.query(
    `update schedules set applied_generation = $3, applied_fingerprint = $4
     where tenant = $1 and id = $2 and generation = $3 and deleted_at is null returning id`,
    [tenant, id, generation, fingerprint],
  );
  return rows.length === 1;
}

/** In whole milliseconds, so that whoever took it can tell whether it is still the time that it has set. */
const LEASE = `date_trunc('milliseconds', now()) + interval '30 seconds'`;

/** Takes what is due for a comparison and puts it off, so that two auditors do not take the same. */
export async function takeToCompare(db: Queryable, limit: number): Promise<ScheduleRow[]> {
  return db.query<ScheduleRow>(
    `update schedules set compare_at = ${LEASE} where (tenant, id) in
       (select tenant, id from schedules where compare_at <= now() order by compare_at limit $1 for update skip locked)
     returning ${SCHEDULE_COLUMNS}`,
    [limit],
  );
}

export async function takeToLookAt(db: Queryable, limit: number): Promise<ScheduleRow[]> {
  return db.query<ScheduleRow>(
    `update schedules set look_at = ${LEASE} where (tenant, id) in
       (select tenant, id from schedules where look_at <= now() order by look_at limit $1 for update skip locked)
     returning ${SCHEDULE_COLUMNS}`,
    [limit],
  );
}

/** Not if it has been brought forward meanwhile. */
export async function setNextCompare(db: Queryable, taken: ScheduleRow, compareAt: Date): Promise<void> {
  await db.query('update schedules set compare_at = $4 where tenant = $1 and id = $2 and compare_at = $3', [
    taken.tenant,
    taken.id,
    taken.compareAt,
    compareAt,
  ]);
}

export async function setNextLook(db: Queryable, taken: ScheduleRow, lookAt: Date | null): Promise<void> {
  await db.query('update schedules set look_at = $4 where tenant = $1 and id = $2 and look_at = $3', [
    taken.tenant,
    taken.id,
    taken.lookAt,
    lookAt,
  ]);
}

/** Brings the next look or comparison forward to now. */
export async function hurry(db: Queryable, { tenant, id }: ScheduleName, what: 'look' | 'compare'): Promise<void> {
  const column = what === 'look' ? 'look_at' : 'compare_at';
  await db.query(`update schedules set ${column} = now() where tenant = $1 and id = $2 and deleted_at is null`, [
    tenant,
    id,
  ]);
}
