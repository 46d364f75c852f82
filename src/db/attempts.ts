// The attempts table: a row is opened before the call and closed with what came of it (settle.ts).
//
// The first attempt of a job in a lane is the exception: the job's row opens it, and tells of it when it succeeded.
import type { StoredError } from '../contract/problem.ts';
import { JOB_COLUMNS, type JobRow } from './jobs.ts';
import type { Queryable } from './pool.ts';

export interface AttemptRow {
  number: number;
  outcome: 'open' | 'answered' | 'notSent' | 'unknown';
  httpStatus: number | null;
  error: StoredError | null;
  startedAt: Date;
  finishedAt: Date | null;
  durationMs: number | null;
  worker: string;
}

/** The claim: only a job that waits can be taken, and whoever takes it is the only one whose result counts. */
const OPEN_ATTEMPT = `with job as (
    update jobs set status = 'running', attempt_id = $2, attempts = attempts + 1, next_attempt_at = null,
      started_at = coalesce(started_at, now()), updated_at = now(),
      check_at = case when run_id is null then now() + interval '60 seconds' end,
      seen_in_temporal = true
    where id = $1 and status in ('scheduled', 'queued', 'retrying') returning *),
  attempt as (
    insert into attempts (id, job_id, number, worker, started_at) select $2, id, attempts, $3, now() from job)
  select ${JOB_COLUMNS} from job`;

export async function openAttempt(
  db: Queryable,
  { jobId, attemptId, worker }: { jobId: string; attemptId: string; worker: string },
): Promise<JobRow | null> {
  const rows = await db.query<JobRow>(OPEN_ATTEMPT, [jobId, attemptId, worker]);
  return rows[0] ?? null;
}

/** By the database's clock, so that workers need not agree on the time. */
export async function attemptAgeMs(db: Queryable, attemptId: string): Promise<number> {
  const [attempt] = await db.query<{ ageMs: number }>(
    `select extract(epoch from now() - started_at)::float8 * 1000 as "ageMs" from attempts where id = $1`,
    [attemptId],
  );
  return attempt?.ageMs ?? Infinity;
}

const LIST = `select number, outcome, http_status as "httpStatus", error, started_at as "startedAt", finished_at as "finishedAt",
    duration_ms as "durationMs", worker
  from attempts where job_id = (select id from jobs where id = $1 and tenant = $2)
  union all
  select 1, case status when 'running' then 'open' else 'answered' end, (result -> 'status')::int, null, started_at,
    finished_at, (result -> 'durationMs')::int, lane_worker
  from jobs where id = $1 and tenant = $2 and lane_worker is not null and attempts = 1 and status in ('running', 'succeeded')
  order by number`;

export async function listAttempts(db: Queryable, tenant: string, jobId: string): Promise<AttemptRow[]> {
  return db.query<AttemptRow>(LIST, [jobId, tenant]);
}

/** What became of a lane's attempt that did not succeed; of the jobs in `job` those that had one under way (`attempt`). */
export const laneAttempts = (given: {
  attempt: string;
  outcome: string;
  status: string;
  error: string;
  duration: string;
}) =>
  `lane_attempt as (
    insert into attempts (id, job_id, number, outcome, http_status, error, worker, started_at, finished_at, duration_ms)
    select ${given.attempt}, id, 1, ${given.outcome}, ${given.status}, ${given.error}, lane_worker, started_at, now(), ${given.duration}
    from job where ${given.attempt} is not null and lane_worker is not null and attempts = 1 and status <> 'succeeded')`;
