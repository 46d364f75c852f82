// The jobs table: accepted rows, and what is read of them. State changes of a running job are in attempts.ts and settle.ts.
import type { JobSpec, JobStatus } from '../contract/job.ts';
import type { StoredError } from '../contract/problem.ts';
import type { Queryable } from './pool.ts';

export interface StoredResult {
  status: number;
  headers: Record<string, string>;
  body?: unknown;
  bodyText?: string;
  bodyBase64?: string;
  truncated: boolean;
  durationMs: number;
}

export interface JobRow {
  id: string;
  tenant: string;
  name: string | null;
  status: JobStatus;
  spec: JobSpec;
  host: string;
  runAt: Date | null;
  deadlineAt: Date | null;
  attempts: number;
  attemptId: string | null;
  nextAttemptAt: Date | null;
  result: StoredResult | null;
  error: StoredError | null;
  scheduleId: string | null;
  batchId: string | null;
  batchKey: string | null;
  /** Who makes, or made, its first attempt; null: its own workflow. */
  carrier: string | null;
  redriveOf: string | null;
  outboundKey: string;
  traceParent: string | null;
  hasDependents: boolean;
  seenInTemporal: boolean;
  createdAt: Date;
  updatedAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

/** What acceptance decides; the rest of a row starts empty. */
export interface NewJob {
  id: string;
  tenant: string;
  status: 'scheduled' | 'blocked' | 'queued' | 'canceled';
  spec: JobSpec;
  host: string;
  runAt: Date | null;
  deadlineAt: Date | null;
  scheduleId: string | null;
  batchId: string | null;
  redriveOf: string | null;
  outboundKey: string;
  traceParent: string | null;
  createdAt: Date;
  checkAt: Date | null;
  /** Whose workflow makes the first attempt; null: the job's own. */
  carrier: string | null;
}

export interface NewKey {
  scope: string;
  key: string;
  fingerprint: string;
  answer: string;
}

export const JOB_COLUMNS = `id, tenant, name, status, spec, host, run_at as "runAt", deadline_at as "deadlineAt", attempts,
  attempt_id as "attemptId", next_attempt_at as "nextAttemptAt", result, error, schedule_id as "scheduleId",
  batch_id as "batchId", batch_key as "batchKey", carrier, redrive_of as "redriveOf", outbound_key as "outboundKey", trace_parent as "traceParent",
  has_dependents as "hasDependents", seen_in_temporal as "seenInTemporal", created_at as "createdAt",
  updated_at as "updatedAt", started_at as "startedAt", finished_at as "finishedAt"`;

/** An item of a run that failed before its call was made has a row, but nothing to show as a job. */
export async function findJob(db: Queryable, tenant: string, id: string): Promise<JobRow | null> {
  const rows = await db.query<JobRow>(`select ${JOB_COLUMNS} from jobs where id = $1 and tenant = $2 and host <> ''`, [
    id,
    tenant,
  ]);
  return rows[0] ?? null;
}

/** For the parts that serve every tenant: activities and the relay. */
export async function findJobOfAnyTenant(db: Queryable, id: string): Promise<JobRow | null> {
  const rows = await db.query<JobRow>(`select ${JOB_COLUMNS} from jobs where id = $1`, [id]);
  return rows[0] ?? null;
}

export async function finishedAmong(db: Queryable, ids: string[]): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `select id from jobs where id = any($1) and finished_at is not null
     union all select id from batches where id = any($1) and finished_at is not null
     union all select id from runs where id = any($1) and finished_at is not null
     union all select id from bulk_operations where id = any($1) and finished_at is not null`,
    [ids],
  );
  return rows.map(({ id }) => id);
}

/** Every job of one name, host, schedule … newest first; see list.ts for the page rules. */
export const JOB_FILTERS = {
  status: 'status = any(?)',
  name: 'name = any(?)',
  host: 'host = any(?)',
  scheduleId: 'schedule_id = any(?)',
  batchId: 'batch_id = any(?)',
  // The first half lets the planner use the partial index.
  label: "(labels <> '{}' and labels @> any(?::jsonb[]))",
} as const;

/** A job that waits: its time is now. The relay sees to it that its workflow hears of it. */
export async function markRunNow(db: Queryable, tenant: string, id: string): Promise<JobRow | null> {
  const rows = await db.query<JobRow>(
    `update jobs set status = 'queued', next_attempt_at = null, updated_at = now(), check_at = now() + interval '2 seconds'
     where id = $1 and tenant = $2 and status in ('scheduled', 'retrying') returning ${JOB_COLUMNS}`,
    [id, tenant],
  );
  return rows[0] ?? null;
}

export async function markSeenInTemporal(db: Queryable, ids: string[]): Promise<void> {
  await db.query('update jobs set seen_in_temporal = true where id = any($1) and not seen_in_temporal', [ids]);
}
