// Jobs whose first attempt a carrier makes, many at a time: taken, settled and found again by multi-row statements.
import { JOB_COLUMNS, type JobRow } from './jobs.ts';
import type { Database, Queryable } from './pool.ts';

/** What a call and its verdict need of a job. */
export type CarriedJob = Pick<
  JobRow,
  'id' | 'tenant' | 'spec' | 'host' | 'attempts' | 'deadlineAt' | 'runAt' | 'outboundKey' | 'traceParent' | 'createdAt'
> & { attemptId: string };

/**
 * The same claim as openAttempt's: only jobs that wait, each with a token of its own (`$2`, one for each). What is looked
 * at without a lock is looked at again by the update: of two who want a job the second finds it taken. It may find one
 * that was created since the statement was sent, which is `now()`: that one has not begun before it was there.
 */
const CLAIM = `with picked as materialized (
    select id, row_number() over (order by id) as place
    from (select id from jobs where carrier = $1 and status = 'queued' and finished_at is null order by id limit $4) free),
  job as (
    update jobs set status = 'running', attempt_id = ($2::text[])[picked.place], attempts = 1, lane_worker = $3,
      started_at = clock_timestamp(), updated_at = clock_timestamp()
    from picked where jobs.id = picked.id and jobs.carrier = $1 and jobs.status = 'queued' returning jobs.*)
  select id, tenant, spec, host, attempts, attempt_id as "attemptId", deadline_at as "deadlineAt", run_at as "runAt",
    outbound_key as "outboundKey", trace_parent as "traceParent", created_at as "createdAt" from job order by id`;

export async function claimCarried(
  db: Database,
  { carrier, attemptIds, worker }: { carrier: string; attemptIds: string[]; worker: string },
): Promise<CarriedJob[]> {
  return db.bulk.query<CarriedJob>(CLAIM, [carrier, attemptIds, worker, attemptIds.length]);
}

/** Taken by whoever worked for this carrier last. */
export async function lostCarried(db: Queryable, carrier: string): Promise<CarriedJob[]> {
  return db.query<CarriedJob>(
    `select id, tenant, spec, host, attempts, attempt_id as "attemptId", deadline_at as "deadlineAt", run_at as "runAt",
       outbound_key as "outboundKey", trace_parent as "traceParent", created_at as "createdAt"
     from jobs where carrier = $1 and status = 'running' and finished_at is null limit 500`,
    [carrier],
  );
}

/** Open jobs that still wait for the workflow of this batch. */
export async function carriedOfBatch(db: Queryable, batchId: string, limit: number): Promise<JobRow[]> {
  return db.query<JobRow>(
    `select ${JOB_COLUMNS} from jobs where batch_id = $1 and carrier is not null and finished_at is null limit $2`,
    [batchId, limit],
  );
}
