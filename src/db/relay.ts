// What the relay asks of the jobs table: who is due for a comparison with Temporal, and who is out of time.
import { JOB_COLUMNS, type JobRow } from './jobs.ts';
import type { Queryable } from './pool.ts';

/** However many tenants wait, each gets at least so many of a turn. */
export const LEAST_OF_A_TURN = 10;

/**
 * Tenants that have something to check, found by one step in the index each; of each the oldest, and of those in turn
 * the first of every tenant, then the second …
 */
const TAKE_DUE = `with recursive tenants as (
    (select tenant from jobs where check_at is not null order by tenant limit 1)
    union all
    select (select tenant from jobs where check_at is not null and tenant > before.tenant order by tenant limit 1)
    from tenants before where before.tenant is not null),
  share as (select greatest(least($1::integer, 2 * $1::integer / greatest(count(*)::integer - 1, 1)), ${LEAST_OF_A_TURN}) as most from tenants),
  due as (
    select oldest.id from tenants, share, lateral (
      select id, row_number() over (order by check_at) as place, check_at from (
        select id, check_at from jobs where jobs.tenant = tenants.tenant and check_at <= now()
        order by check_at limit share.most for update skip locked) free) oldest
    order by oldest.place, oldest.check_at limit $1::integer)
  update jobs set check_at = now() + interval '30 seconds' where id in (select id from due)
  returning ${JOB_COLUMNS}`;

/** Takes jobs that are due and puts off their next check, so that two relays do not take the same. */
export async function takeDueChecks(db: Queryable, limit: number): Promise<JobRow[]> {
  return db.query<JobRow>(TAKE_DUE, [limit]);
}

/** `checkAt` null: nothing left to compare. */
export async function setCheck(db: Queryable, ids: string[], checkAt: Date | null, seen: boolean): Promise<void> {
  await db.query(
    `update jobs set check_at = case when finished_at is null or $2::timestamptz is null then $2::timestamptz end,
       seen_in_temporal = seen_in_temporal or $3
     where id = any($1) and (finished_at is null or $2::timestamptz is null)`,
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
