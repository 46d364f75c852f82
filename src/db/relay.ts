// What the relay asks of the jobs table: who is due for a comparison with Temporal, and who is out of time.
import { JOB_COLUMNS, type JobRow } from './jobs.ts';
import type { Queryable } from './pool.ts';

/** Takes jobs that are due and puts off their next check, so that two relays do not take the same. */
export async function takeDueChecks(db: Queryable, limit: number): Promise<JobRow[]> {
  return db.query<JobRow>(
    `update jobs set check_at = now() + interval '30 seconds'
     where id in (select id from jobs where check_at <= now() order by check_at limit $1 for update skip locked)
     returning ${JOB_COLUMNS}`,
    [limit],
  );
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
