// Opens many attempts in one statement, each by the rules of openAttempt (attempts.ts).
import { JOB_COLUMNS, type JobRow } from './jobs.ts';
import type { Database } from './pool.ts';

export interface Opening {
  jobId: string;
  attemptId: string;
  worker: string;
}

/** The rows are locked in the order of their ids, as everywhere. */
const OPEN_MANY = `with free as (
    select jobs.id, given.attempt_id, given.worker
    from jobs join unnest($1::text[], $2::text[], $3::text[]) as given (job_id, attempt_id, worker) on given.job_id = jobs.id
    where status in ('scheduled', 'queued', 'retrying') order by jobs.id for update of jobs),
  job as (
    update jobs set status = 'running', attempt_id = free.attempt_id, attempts = attempts + 1, next_attempt_at = null,
      started_at = coalesce(started_at, now()), updated_at = now(),
      check_at = case when run_id is null then now() + interval '60 seconds' end,
      seen_in_temporal = true
    from free where jobs.id = free.id returning jobs.*, free.worker),
  attempt as (
    insert into attempts (id, job_id, number, worker, started_at) select attempt_id, id, attempts, worker, now() from job)
  select ${JOB_COLUMNS} from job`;

/** For each the job as taken, or null where it did not wait any more. */
export async function openAttempts(db: Database, openings: Opening[]): Promise<(JobRow | null)[]> {
  const columns = [
    openings.map(({ jobId }) => jobId),
    openings.map(({ attemptId }) => attemptId),
    openings.map(({ worker }) => worker),
  ];
  const rows = await db.bulk.query<JobRow>(OPEN_MANY, columns);
  const byAttempt = new Map(rows.map((row) => [row.attemptId, row]));
  return openings.map(({ attemptId }) => byAttempt.get(attemptId) ?? null);
}
