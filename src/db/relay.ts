// What the relay asks of the jobs table: who is due for a comparison with Temporal, and who is out of time.
import { JOB_COLUMNS, type JobRow } from './jobs.ts';
import type { Queryable } from './pool.ts';

/** However many tenants wait, each gets at least so many of a turn. */
export const LEAST_OF_A_TURN = 10;

/** The conditions of the two indexes: accepted and not known to be started, and all others. */
const TO_START = 'check_at is not null and finished_at is null and carrier is null and not seen_in_temporal';
const TO_COMPARE = 'check_at is not null and (finished_at is not null or carrier is not null or seen_in_temporal)';

/** Tenants that have something there, found by one step in the index each. */
const tenantsOf = (what: string) => `tenants as (
    (select tenant from jobs where ${what} order by tenant limit 1)
    union all
    select (select tenant from jobs where ${what} and tenant > before.tenant order by tenant limit 1)
    from tenants before where before.tenant is not null)`;

/** Of each tenant the oldest, and of those in turn the first of every tenant, then the second … */
const TAKE_TO_COMPARE = `with recursive ${tenantsOf(TO_COMPARE)},
  share as (select greatest(least($1::integer, 2 * $1::integer / greatest(count(*)::integer - 1, 1)), ${LEAST_OF_A_TURN}) as most from tenants),
  due as (
    select oldest.id from tenants, share, lateral (
      select id, row_number() over (order by check_at) as place, check_at from (
        select id, check_at from jobs where jobs.tenant = tenants.tenant and ${TO_COMPARE} and check_at <= now()
        order by check_at limit share.most for update skip locked) free) oldest
    order by oldest.place, oldest.check_at limit $1::integer)
  update jobs set check_at = now() + interval '30 seconds' where id in (select id from due)
  returning ${JOB_COLUMNS}`;

/**
 * The same, where a tenant's own that were started and still wait come before its next (`$2`, by tenant). A start is over
 * in five seconds: of a relay that was killed in the middle, another one takes them after ten.
 */
const TAKE_TO_START = `with recursive ${tenantsOf(TO_START)},
  due as (
    select oldest.*, row_number() over (order by place, check_at) as turn from tenants, lateral (
      select id, check_at, row_number() over (order by check_at) + coalesce(($2::jsonb ->> tenants.tenant)::integer, 0) as place
      from (
        select id, check_at from jobs where jobs.tenant = tenants.tenant and ${TO_START} and check_at <= now()
        order by check_at limit greatest($1::integer, ${LEAST_OF_A_TURN}) for update skip locked) free) oldest)
  update jobs set check_at = now() + interval '10 seconds'
  where id in (select id from due where turn <= $1::integer or (place <= ${LEAST_OF_A_TURN} and turn <= $3::integer))
  returning ${JOB_COLUMNS}`;

/** Takes jobs that are due and puts off their next check, so that two relays do not take the same. */
export async function takeDueChecks(db: Queryable, limit: number): Promise<JobRow[]> {
  return db.query<JobRow>(TAKE_TO_COMPARE, [limit]);
}

/**
 * Jobs to start: as many as there is `room` for, and up to `most` where a tenant has fewer than its least among those
 * that were started and still wait (`held`).
 */
export async function takeDueStarts(
  db: Queryable,
  { room, most, held }: { room: number; most: number; held: Record<string, number> },
): Promise<JobRow[]> {
  return db.query<JobRow>(TAKE_TO_START, [room, JSON.stringify(held), most]);
}

/** Those that have a workflow and no worker yet. */
export async function waitingAmong(db: Queryable, ids: string[]): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    "select id from jobs where id = any($1) and status = 'queued' and seen_in_temporal",
    [ids],
  );
  return rows.map(({ id }) => id);
}

/** `checkAt` null: nothing left to compare. */
export async function setCheck(db: Queryable, ids: string[], checkAt: Date | null, seen: boolean): Promise<void> {
  await db.query(
    `with locked as (
       select id from jobs where id = any($1) and (finished_at is null or $2::timestamptz is null)
       order by id for no key update)
     update jobs set check_at = case when finished_at is null or $2::timestamptz is null then $2::timestamptz end,
       seen_in_temporal = seen_in_temporal or $3
     from locked where jobs.id = locked.id and (finished_at is null or $2::timestamptz is null)`,
    [ids, checkAt, seen],
  );
}

/** Jobs past their deadline that no call is under way for; their own workflow is late or not there. */
export async function overdueJobs(db: Queryable, limit: number): Promise<JobRow[]> {
  return db.query<JobRow>(
    `select ${JOB_COLUMNS} from jobs
     where finished_at is null and deadline_at < now() - interval '1 second' and status <> 'running' and run_id is null
     order by deadline_at limit $1`,
    [limit],
  );
}

export async function openJobsAmong(db: Queryable, ids: string[]): Promise<JobRow[]> {
  return db.query<JobRow>(`select ${JOB_COLUMNS} from jobs where id = any($1) and finished_at is null`, [ids]);
}
