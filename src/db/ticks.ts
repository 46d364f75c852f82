// The ticks table: one row per nominal time, written under the lock on its schedule together with the counts.
import type { FinalJobStatus } from '../contract/job.ts';
import type { Overlap, ScheduleName, TickOutcome } from '../contract/schedule.ts';
import type { Queryable } from './pool.ts';
import type { LastFire } from './schedules.ts';

export interface TickRow {
  id: string;
  tenant: string;
  scheduleId: string;
  nominalTime: Date;
  outcome: TickOutcome | null;
  backfillOverlap: Overlap | null;
  /** Null unless it waits, or has waited, for earlier runs to end. */
  waitingSince: Date | null;
  jobId: string | null;
  runId: string | null;
  startedAt: Date | null;
  latenessMs: number | null;
  reason: string | null;
}

const TICK_COLUMNS = `id, tenant, schedule_id as "scheduleId", nominal_time as "nominalTime", outcome,
  backfill_overlap as "backfillOverlap", waiting_since as "waitingSince", job_id as "jobId", run_id as "runId", started_at as "startedAt",
  lateness_ms as "latenessMs", reason`;

/** For listPage: newest first by nominal time, which takes the place of the time of creation. */
export const TICK_LIST = {
  table: '(select ticks.*, nominal_time as created_at from ticks where outcome is not null) ticks',
  columns: `${TICK_COLUMNS}, nominal_time as "createdAt"`,
  conditions: { scheduleId: 'schedule_id = (?::text[])[1]', outcome: 'outcome = any(?)' },
};

export async function findTick(db: Queryable, id: string): Promise<TickRow | null> {
  const rows = await db.query<TickRow>(`select ${TICK_COLUMNS} from ticks where id = $1`, [id]);
  return rows[0] ?? null;
}

/** Rows for nominal times that have none: due (`outcome` null), or decided without a run. Returns how many are new. */
export async function insertTicks(
  tx: Queryable,
  { tenant, id }: ScheduleName,
  ticks: { id: string; nominalMs: number }[],
  { outcome, reason }: { outcome: 'missed' | 'paused' | null; reason: string | null },
): Promise<number> {
  if (ticks.length === 0) return 0;
  const rows = await tx.query<{ added: number }>(
    `with added as (
       insert into ticks (id, tenant, schedule_id, nominal_time, outcome, reason)
       select tick_id, $1, $2, nominal_time, $5, $6 from unnest($3::text[], $4::timestamptz[]) as tick (tick_id, nominal_time)
       on conflict (id) do nothing returning 1),
     counted as (
       update schedules set missed = missed + (select count(*) from added)
       where tenant = $1 and id = $2 and $5 = 'missed' and exists (select 1 from added))
     select count(*)::int as added from added`,
    [tenant, id, ticks.map((tick) => tick.id), ticks.map(({ nominalMs }) => new Date(nominalMs)), outcome, reason],
  );
  return rows[0]?.added ?? 0;
}

/** Makes ticks due that never ran, also those decided long ago; what has run is left alone. Returns how many. */
export async function insertBackfill(
  tx: Queryable,
  { tenant, id }: ScheduleName,
  ticks: { id: string; nominalMs: number }[],
  overlap: Overlap,
): Promise<number> {
  const rows = await tx.query<{ accepted: number }>(
    `with before as (select id, outcome from ticks where id = any($3)),
     accepted as (
       insert into ticks as old (id, tenant, schedule_id, nominal_time, backfill_overlap)
       select tick_id, $1, $2, nominal_time, $5 from unnest($3::text[], $4::timestamptz[]) as tick (tick_id, nominal_time)
       on conflict (id) do update set outcome = null, reason = null, backfill_overlap = $5
       where old.outcome in ('missed', 'skippedOverlap', 'paused') returning id),
     counted as (
       update schedules set look_at = now(),
         missed = missed - (select count(*) from accepted join before using (id) where outcome = 'missed'),
         skipped = skipped - (select count(*) from accepted join before using (id) where outcome = 'skippedOverlap')
       where tenant = $1 and id = $2)
     select count(*)::int as accepted from accepted`,
    [tenant, id, ticks.map((tick) => tick.id), ticks.map(({ nominalMs }) => new Date(nominalMs)), overlap],
  );
  return rows[0]?.accepted ?? 0;
}

export interface Decision {
  id: string;
  nominalTime: Date;
  outcome: TickOutcome;
  reason: string | null;
  /** What runs, for an outcome that runs. */
  run: LastFire | null;
}

/** Decides a tick that has no row yet or is due, and counts it. False when it was decided before. */
export async function decideTick(
  tx: Queryable,
  { tenant, id }: ScheduleName,
  { id: tickId, nominalTime, outcome, reason, run }: Decision,
): Promise<boolean> {
  const rows = await tx.query(
    `with decided as (
       insert into ticks as old (id, tenant, schedule_id, nominal_time, outcome, reason, job_id, run_id, started_at, lateness_ms)
       values ($3, $1, $2, $4::timestamptz, $5, $6, $7, $8, $9::timestamptz, $10)
       on conflict (id) do update set outcome = $5, reason = $6, job_id = $7, run_id = $8, started_at = $9::timestamptz,
         lateness_ms = $10
       where old.outcome is null returning 1),
     counted as (
       update schedules set ran = ran + ($11::jsonb is not null)::int, skipped = skipped + ($5 = 'skippedOverlap')::int,
         missed = missed + ($5 = 'missed')::int, last_fire = coalesce($11::jsonb, last_fire)
       where tenant = $1 and id = $2 and exists (select 1 from decided))
     select 1 from decided`,
    [
      tenant,
      id,
      tickId,
      nominalTime,
      outcome,
      reason,
      run?.jobId ?? null,
      run?.runId ?? null,
      run?.startedAt ?? null,
      run?.latenessMs ?? null,
      run && JSON.stringify(run),
    ],
  );
  return rows.length === 1;
}

/** Puts a tick off until earlier runs have ended. */
export async function letWait(
  tx: Queryable,
  { tenant, id }: ScheduleName,
  tick: { id: string; nominalMs: number; now: Date },
): Promise<void> {
  await tx.query(
    `insert into ticks as old (id, tenant, schedule_id, nominal_time, waiting_since) values ($3, $1, $2, $4, $5)
     on conflict (id) do update set waiting_since = coalesce(old.waiting_since, $5) where old.outcome is null`,
    [tenant, id, tick.id, new Date(tick.nominalMs), tick.now],
  );
}

/** Those that wait give way to a later one. */
export async function skipWaiting(
  tx: Queryable,
  { tenant, id }: ScheduleName,
  tickIds: string[],
  reason: string,
): Promise<void> {
  await tx.query(
    `with dropped as (
       update ticks set outcome = 'skippedOverlap', reason = $4 where id = any($3) and outcome is null returning 1)
     update schedules set skipped = skipped + (select count(*) from dropped) where tenant = $1 and id = $2`,
    [tenant, id, tickIds, reason],
  );
}

/**
 * Those that nothing but us will start now: backfills, what Temporal had its time for, and of those that wait for
 * their turn the first.
 */
export async function dueTicks(
  db: Queryable,
  { tenant, id }: ScheduleName,
  firedBefore: Date,
  limit: number,
): Promise<TickRow[]> {
  return db.query<TickRow>(
    `select ${TICK_COLUMNS} from ticks
     where tenant = $1 and schedule_id = $2 and outcome is null and case when waiting_since is null
       then backfill_overlap is not null or nominal_time < $3
       else id = (select id from ticks where tenant = $1 and schedule_id = $2 and outcome is null
         and waiting_since is not null order by nominal_time limit 1) end
     order by nominal_time limit $4`,
    [tenant, id, firedBefore, limit],
  );
}

export async function advanceLedger(tx: Queryable, { tenant, id }: ScheduleName, until: Date): Promise<void> {
  await tx.query('update schedules set ledger_until = greatest(ledger_until, $3) where tenant = $1 and id = $2', [
    tenant,
    id,
    until,
  ]);
}

export interface RunCount {
  tenant: string;
  id: string;
  consecutiveFailures: number;
  pauseAfterFailures: number | null;
  paused: boolean;
}

/**
 * The schedule is locked before its tick, as by all who decide about ticks: in the other order each would wait for the
 * other. Ticks that wait for their turn are looked at when a run ends; jobs that wait for a job are its dependants.
 */
const COUNT_RUN = `with locked as (
    select from schedules where (tenant, id) = (
      select tenant, schedule_id from ticks where ticks.id = $1 and run_status is null)
    for no key update),
  counted as (
    update ticks set run_status = $2 where id = $1 and run_status is null and (select count(*) from locked) <= 1
    returning tenant, schedule_id, run_id)
  update schedules set failed = failed + ($2 in ('failed', 'expired', 'unknown'))::int,
    consecutive_failures = case when $2 = 'succeeded' then 0 when $2 = 'canceled' then consecutive_failures
      else consecutive_failures + 1 end,
    look_at = case when deleted_at is null and (run_id is not null or jsonb_typeof(spec -> 'workflow') = 'object')
      then now() else look_at end
  from counted where schedules.tenant = counted.tenant and schedules.id = counted.schedule_id
  returning schedules.tenant, schedules.id, consecutive_failures as "consecutiveFailures",
    (spec ->> 'pauseAfterFailures')::int as "pauseAfterFailures", paused`;

/** How a run ended, counted once however often it is said. Null when it is no run of a schedule, or was counted. */
export async function countRun(db: Queryable, runId: string, status: FinalJobStatus): Promise<RunCount | null> {
  const rows = await db.query<RunCount>(COUNT_RUN, [runId, status]);
  return rows[0] ?? null;
}

/** Ended and not counted: whoever should have done so crashed. */
export async function uncountedRuns(db: Queryable, limit: number): Promise<{ id: string; status: FinalJobStatus }[]> {
  return db.query(
    `select jobs.id, jobs.status from ticks join jobs on jobs.id = ticks.job_id
     where ticks.run_status is null and ticks.job_id is not null and jobs.finished_at < now() - interval '10 seconds'
     union all
     select runs.id, runs.status from ticks join runs on runs.id = ticks.run_id
     where ticks.run_status is null and ticks.run_id is not null and runs.finished_at < now() - interval '10 seconds'
     limit $1`,
    [limit],
  );
}

export interface OpenRun {
  id: string;
  /** A tick waits for its turn and has neither job nor run yet. */
  kind: 'job' | 'run' | 'tick';
  status: string;
}

/**
 * What of a schedule has begun or waits for its turn, and has not ended; newest first. For a tick that waits itself
 * (its nominal time is `turnOf`) only those before it in line.
 */
export async function openRuns(tx: Queryable, { tenant, id }: ScheduleName, turnOf: Date | null): Promise<OpenRun[]> {
  return tx.query<OpenRun>(
    `select id, kind, status from (
       select id, 'job' as kind, status, created_at from jobs
       where tenant = $1 and schedule_id = $2 and finished_at is null
       union all select id, 'run', status, created_at from runs
       where tenant = $1 and schedule_id = $2 and finished_at is null
       union all select id, 'tick', 'blocked', nominal_time from ticks
       where tenant = $1 and schedule_id = $2 and outcome is null and waiting_since is not null
         and ($3::timestamptz is null or nominal_time < $3)) open
     order by kind = 'tick' desc, created_at desc, id desc limit 1001`,
    [tenant, id, turnOf],
  );
}
