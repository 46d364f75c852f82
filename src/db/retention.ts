// Takes away what is old, a few rows a statement, and nothing that anything alive still needs.
//
// Each statement removes at most `limit` rows and says how many, and where it came to: rows that must stay are passed
// over, and looked at again in the next round.
import type { ScheduleName } from '../contract/schedule.ts';
import type { Queryable } from './pool.ts';

export interface Portion {
  removed: Record<string, number>;
  /** Where to go on; null: nothing older is left. */
  next: Place | null;
}

/** In the order of the end, as PostgreSQL counts microseconds. */
export interface Place {
  at: string;
  id: string;
}

export const BEGINNING: Place = { at: '-infinity', id: '' };

/** Held until the end of its transaction: of all workers only one removes at a time. */
export async function takeRetentionTurn(tx: Queryable): Promise<boolean> {
  const [row] = await tx.query<{ taken: boolean }>('select pg_try_advisory_xact_lock(7378838) as taken');
  return row?.taken ?? false;
}

interface Counts {
  at: string | null;
  id: string | null;
  seen: number;
}

/** Candidates in `old`, locked unless someone is at work on them; `$1` how old, `$2` where to go on, `$4` how many. */
const OLD = (table: string, also: string) => `old as materialized (
    select id, finished_at from ${table}
    where finished_at is not null and finished_at < $1 and (finished_at, id) > ($2::timestamptz, $3) and ${also}
    order by finished_at, id limit $4 for update skip locked)`;
const LAST = `(select count(*)::int from old) as seen,
  (select finished_at::text from old order by finished_at desc, id desc limit 1) as at,
  (select id from old order by finished_at desc, id desc limit 1) as id`;

/** No one who has not ended depends on it, and nobody has yet to be told of its end. */
const NOT_NEEDED = (id: string) => `not exists (
      select 1 from job_dependencies d join jobs child on child.id = d.job_id
      where d.parent_id = ${id} and child.finished_at is null)
    and not exists (select 1 from notifications where due_at is not null and subject_id = ${id})`;

/** The items of a batch stay until the batch itself is old: it is counted by them until it has ended. */
const REMOVE_JOBS = `with ${OLD('jobs', 'run_id is null')},
  doomed as materialized (
    select jobs.id from old join jobs using (id)
    where check_at is null and ${NOT_NEEDED('jobs.id')}
      and not exists (select 1 from batches where batches.id = jobs.batch_id
        and (batches.counts is null or batches.finished_at >= $1))),
  letters as (delete from dead_letters where job_id in (select id from doomed) returning 1),
  gone as (delete from jobs where id in (select id from doomed) returning 1)
  select (select count(*)::int from gone) as jobs, (select count(*)::int from letters) as dead_letters, ${LAST}`;

export async function removeJobs(tx: Queryable, before: Date, from: Place, limit: number): Promise<Portion> {
  return portion(limit, await tx.query<Counts>(REMOVE_JOBS, [before, from.at, from.id, limit]));
}

/** A child goes after its parent; a run whose calls are many goes when the last of them has gone. */
const REMOVE_RUNS = `with ${OLD('runs', 'true')},
  doomed as materialized (
    select runs.id from old join runs using (id)
    where check_at is null and ${NOT_NEEDED('runs.id')}
      and not exists (select 1 from runs parent where parent.id = runs.parent_run_id)
      and not exists (select 1 from runs again where again.id = runs.redriven_as and again.finished_at is null)),
  doomed_calls as materialized (
    select id from jobs where run_id in (select id from doomed) limit $5),
  calls_gone as (delete from jobs where id in (select id from doomed_calls) returning 1),
  empty as (
    select id from doomed where not exists (
      select 1 from jobs where run_id = doomed.id and jobs.id not in (select id from doomed_calls))),
  letters as (delete from dead_letters where run_id in (select id from empty) returning 1),
  gone as (delete from runs where id in (select id from empty) returning 1)
  select (select count(*)::int from gone) as runs, (select count(*)::int from calls_gone) as jobs,
    (select count(*)::int from letters) as dead_letters,
    ((select count(*) from doomed) > (select count(*) from empty))::int as "hasCallsLeft", ${LAST}`;

export async function removeRuns(tx: Queryable, before: Date, from: Place, limit: number): Promise<Portion> {
  const atOnce = Math.ceil(limit / 10);
  const rows = await tx.query<Counts>(REMOVE_RUNS, [before, from.at, from.id, atOnce, limit]);
  const { removed, next } = portion(atOnce, rows);
  const { hasCallsLeft = 0, ...counts } = removed;
  return { removed: counts, next: hasCallsLeft > 0 ? from : next };
}

const REMOVE_BATCHES = `with ${OLD('batches', 'counts is not null')},
  gone as (
    delete from batches where id in (select id from old)
      and not exists (select 1 from jobs where batch_id = batches.id)
      and not exists (select 1 from notifications where due_at is not null and subject_id = batches.id) returning 1)
  select (select count(*)::int from gone) as batches, ${LAST}`;

export async function removeBatches(tx: Queryable, before: Date, from: Place, limit: number): Promise<Portion> {
  return portion(limit, await tx.query<Counts>(REMOVE_BATCHES, [before, from.at, from.id, limit]));
}

/** A key goes when what it made has gone, and not before `before`. */
const REMOVE_KEYS = `with old as materialized (
    select tenant, scope, key, resource_id, created_at from idempotency_keys
    where created_at < $1 and (created_at, key) > ($2::timestamptz, $3) order by created_at, key limit $4
    for update skip locked),
  gone as (
    delete from idempotency_keys k using old
    where k.tenant = old.tenant and k.scope = old.scope and k.key = old.key
      and not exists (select 1 from jobs where jobs.id = old.resource_id)
      and not exists (select 1 from runs where runs.id = old.resource_id)
      and not exists (select 1 from batches where batches.id = old.resource_id)
      and not exists (select 1 from bulk_operations where bulk_operations.id = old.resource_id)
    returning 1)
  select (select count(*)::int from gone) as idempotency_keys, (select count(*)::int from old) as seen,
    (select created_at::text from old order by created_at desc, key desc limit 1) as at,
    (select key from old order by created_at desc, key desc limit 1) as id`;

export async function removeKeys(tx: Queryable, before: Date, from: Place, limit: number): Promise<Portion> {
  return portion(limit, await tx.query<Counts>(REMOVE_KEYS, [before, from.at, from.id, limit]));
}

/** Of those that ran it is noted up to where they are gone: a nominal time that has run must not run again. */
const REMOVE_TICKS = `with old as (
    select id from ticks where outcome is not null and nominal_time < $1
      and not exists (select 1 from jobs where jobs.id = ticks.job_id and jobs.finished_at is null)
      and not exists (select 1 from runs where runs.id = ticks.run_id and runs.finished_at is null)
    order by nominal_time limit $2 for update skip locked),
  gone as (
    delete from ticks where id in (select id from old) returning tenant, schedule_id, nominal_time, outcome),
  noted as (
    insert into ticks_removed as known (tenant, schedule_id, until)
    select tenant, schedule_id, max(nominal_time) from gone where outcome in ('ran', 'caughtUp', 'backfilled')
    group by tenant, schedule_id
    on conflict (tenant, schedule_id) do update set until = greatest(known.until, excluded.until))
  select count(*)::int as removed from gone`;

const SIMPLE = {
  ticks: REMOVE_TICKS,
  notifications: `with gone as (
      delete from notifications where id in (
        select id from notifications where due_at is null and created_at < $1 order by created_at limit $2) returning 1)
    select count(*)::int as removed from gone`,
  bulk_operations: `with old as (
      select id from bulk_operations where finished_at < $1 order by finished_at limit 1),
    items as (
      select bulk_id, position from bulk_items where bulk_id in (select id from old) limit $2),
    items_gone as (delete from bulk_items where (bulk_id, position) in (select bulk_id, position from items) returning 1),
    gone as (delete from bulk_operations where id in (select id from old)
      and (select count(*) from items) < $2 returning 1)
    select ((select count(*) from gone) + (select count(*) from items_gone))::int as removed`,
  audit_log: `with gone as (
      delete from audit_log where id in (
        select id from audit_log where created_at < $1 order by created_at limit $2) returning 1)
    select count(*)::int as removed from gone`,
} as const;

/** Rows that nothing else refers to. */
export async function removeSimple(
  tx: Queryable,
  table: keyof typeof SIMPLE,
  before: Date,
  limit: number,
): Promise<number> {
  if (table === 'audit_log') await tx.query(`select set_config('perdure.audit_retention', 'on', true)`);
  const [row] = await tx.query<{ removed: number }>(SIMPLE[table], [before, limit]);
  return row?.removed ?? 0;
}

/** Of nominal times up to this one nobody can tell any more whether they ran. */
export async function ticksRemovedUntil(db: Queryable, { tenant, id }: ScheduleName): Promise<Date | null> {
  const [row] = await db.query<{ until: Date }>(
    'select until from ticks_removed where tenant = $1 and schedule_id = $2',
    [tenant, id],
  );
  return row?.until ?? null;
}

function portion(limit: number, rows: Counts[]): Portion {
  const { at = null, id = null, seen = 0, ...removed } = rows[0] ?? {};
  const next = seen < limit || at === null || id === null ? null : { at, id };
  return { removed: removed, next };
}
