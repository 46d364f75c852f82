// The calls of runs: job rows that come into being with their first attempt, in one statement.
import type { JobSpec } from '../contract/job.ts';
import { JOB_COLUMNS, type JobRow } from './jobs.ts';
import type { Queryable } from './pool.ts';

export interface NewCall {
  jobId: string;
  runId: string;
  stepId: string;
  itemIndex: number | null;
  outboundKey: string;
  spec: JobSpec;
  host: string;
  attemptId: string;
  worker: string;
}

/** Without the deadline of the run: the run itself cuts its calls off, and is what has expired then. */
const OPEN_FIRST = `with job as (
    insert into jobs (id, tenant, status, spec, host, labels, outbound_key, trace_parent, run_id, step_id,
      item_index, attempts, attempt_id, created_at, updated_at, started_at)
    select $1, tenant, 'running', $2::jsonb, $3, '{}', $4, trace_parent, id, $5, $6::integer, 1, $7,
      now(), now(), now()
    from runs where id = $8 and finished_at is null and not paused
    on conflict (id) do nothing returning *),
  attempt as (
    insert into attempts (id, job_id, number, worker, started_at) select $7, id, 1, $9, now() from job)
  select ${JOB_COLUMNS} from job`;

/** Null when the call was begun before, or its run is final or paused. */
export async function openFirstCall(db: Queryable, call: NewCall): Promise<JobRow | null> {
  const rows = await db.query<JobRow>(OPEN_FIRST, [
    call.jobId,
    JSON.stringify(call.spec),
    call.host,
    call.outboundKey,
    call.stepId,
    call.itemIndex,
    call.attemptId,
    call.runId,
    call.worker,
  ]);
  return rows[0] ?? null;
}

/** True where nothing but a pause of its run keeps the call from beginning. */
export async function isHeldBack(db: Queryable, { jobId, runId }: Pick<NewCall, 'jobId' | 'runId'>): Promise<boolean> {
  const rows = await db.query(
    `select 1 from runs where id = $1 and finished_at is null and not exists (select 1 from jobs where id = $2)`,
    [runId, jobId],
  );
  return rows.length === 1;
}

export interface RunAttemptRow {
  id: string;
  stepId: string;
  itemIndex: number | null;
  compensation: boolean;
}

/** Attempts of all calls of a run, or of one step, in the order in which they began. */
export async function listRunAttempts<Row>(
  db: Queryable,
  query: { tenant: string; runId: string; stepId: string | null; after: string; limit: number },
): Promise<(Row & RunAttemptRow)[]> {
  return db.query<Row & RunAttemptRow>(
    `select a.id, number, outcome, http_status as "httpStatus", a.error, a.started_at as "startedAt",
       a.finished_at as "finishedAt", duration_ms as "durationMs", worker, step_id as "stepId",
       item_index as "itemIndex", job.id = run_id || '/' || step_id || '/compensate' as compensation
     from attempts a join jobs job on job.id = a.job_id
     where run_id = $1 and tenant = $5 and ($2::text is null or step_id = $2) and a.id > $3 order by a.id limit $4`,
    [query.runId, query.stepId, query.after, query.limit, query.tenant],
  );
}
