// Ends an attempt or a job: state, dead letter and notifications in one statement, and only if the caller still may.
import { uuidv7 } from 'uuidv7';

import type { FinalJobStatus } from '../contract/job.ts';
import type { StoredError } from '../contract/problem.ts';
import { laneAttempts } from './attempts.ts';
import type { StoredResult } from './jobs.ts';
import type { Queryable } from './pool.ts';

export interface DeadLetterDraft {
  reason: string;
  fingerprint: string;
  target: string;
}

/** What becomes of the job: a final status, or another attempt at `nextAttemptAt`. */
export interface Verdict {
  status: FinalJobStatus | 'retrying';
  nextAttemptAt: Date | null;
  result: StoredResult | null;
  error: StoredError | null;
  deadLetter: DeadLetterDraft | null;
}

export interface AttemptOutcome {
  outcome: 'answered' | 'notSent' | 'unknown';
  httpStatus: number | null;
  error: StoredError | null;
  durationMs: number | null;
}

export interface Settled {
  id: string;
  tenant: string;
  host: string;
  batchId: string | null;
  scheduleId: string | null;
  hasDependents: boolean;
  notified: boolean;
  /** From runAt or acceptance to now. */
  ageMs: number;
}

export const SETTLED = `id, tenant, host, batch_id as "batchId", schedule_id as "scheduleId", has_dependents as "hasDependents", jsonb_array_length(spec -> 'notify') > 0 as "notified",
  extract(epoch from now() - coalesce(run_at, created_at))::float8 * 1000 as "ageMs"`;

/** Of the rows that just ended, in `job`; the arguments are where id, reason, fingerprint and target come from. */
export const deadLetters = (id: string, reason: string, fingerprint: string, target: string) => `dead as (
    insert into dead_letters (id, tenant, kind, job_id, name, reason, error, attempts, fingerprint, target, host, created_at)
    select ${id}, tenant, 'job', id, name, ${reason}, error, attempts, ${fingerprint}, ${target}, host, now() from job
    where ${id} is not null and run_id is null
    on conflict (job_id) do nothing)`;

export const OUTBOX = `outbox as (
    insert into notifications (id, tenant, subject_id, event, rule, due_at, created_at)
    select 'msg_' || replace(gen_random_uuid()::text, '-', ''), tenant, id, 'job.' || status, rule, now(), now()
    from job, jsonb_array_elements(spec -> 'notify') rule where rule -> 'on' ? status)`;

/** `$1` status, `$2` error, `$3` dead letter id or null, `$4` reason, `$5` fingerprint, `$6` target. */
const FOLLOW_UPS = `${deadLetters('$3::text', '$4', '$5', '$6')},
  ${OUTBOX}`;

const CLOSE_ATTEMPT = `with attempt as (
    update attempts set outcome = $7, http_status = $8, error = $9::jsonb, duration_ms = $10, finished_at = now()
    where id = $11 and outcome = 'open'),
  job as (
    update jobs set status = $1, error = $2::jsonb, result = $12::jsonb, attempt_id = null, next_attempt_at = $13::timestamptz,
      updated_at = now(), finished_at = case when $13::timestamptz is null then now() end,
      check_at = case when $13::timestamptz is not null and run_id is null then now() + interval '60 seconds' end
    where id = $14 and attempt_id = $11 returning *),
  ${FOLLOW_UPS}
  select ${SETTLED} from job`;

/** Null when the attempt no longer may write: canceled, taken over, or already settled. */
export async function closeAttempt(
  db: Queryable,
  attempt: { id: string; jobId: string },
  { outcome, httpStatus, error, durationMs }: AttemptOutcome,
  verdict: Verdict,
): Promise<Settled | null> {
  const rows = await db.query<Settled>(CLOSE_ATTEMPT, [
    ...followUpValues(verdict.status, verdict.error, verdict.deadLetter),
    outcome,
    httpStatus,
    json(error),
    durationMs,
    attempt.id,
    json(verdict.result),
    verdict.nextAttemptAt,
    attempt.jobId,
  ]);
  return rows[0] ?? null;
}

/** What ends a job from outside says nothing about the call. */
export const CUT_OFF = laneAttempts({
  ...{ attempt: 'was_attempt', outcome: "'unknown'", status: 'null', error: 'error', duration: 'null' },
});

/** `$7` tenant or null for any, `$8` job id, `$9` statuses it may be in, `$10` when the relay looks again. */
const FINISH_JOB = `with was as (
    select id as was_id, attempt_id as was_attempt from jobs where id = $8 for update),
  job as (
    update jobs set status = $1, error = $2::jsonb, attempt_id = null, next_attempt_at = null, updated_at = now(),
      finished_at = now(), check_at = $10::timestamptz
    from was
    where id = was_id and ($7::text is null or tenant = $7) and status = any($9) and finished_at is null
    returning jobs.*, was_attempt),
  ${CUT_OFF},
  attempt as (
    update attempts set outcome = 'unknown', error = $2::jsonb, finished_at = now()
    where job_id = $8 and outcome = 'open' and exists (select 1 from job)),
  ${FOLLOW_UPS}
  select ${SETTLED} from job`;

/** Ends a job from outside its attempts: cancel, deadline, failed dependency, repair. Null when it was not in `from`. */
export async function finishJob(
  db: Queryable,
  job: { id: string; tenant: string | null; from: readonly string[] },
  verdict: Pick<Verdict, 'error' | 'deadLetter'> & { status: FinalJobStatus; checkAt: Date | null },
): Promise<Settled | null> {
  const rows = await db.query<Settled>(FINISH_JOB, [
    ...followUpValues(verdict.status, verdict.error, verdict.deadLetter),
    job.tenant,
    job.id,
    job.from,
    verdict.checkAt,
  ]);
  return rows[0] ?? null;
}

function followUpValues(status: string, error: StoredError | null, dead: DeadLetterDraft | null): unknown[] {
  return [
    status,
    json(error),
    dead && deadLetterId(),
    dead?.reason ?? null,
    dead?.fingerprint ?? null,
    dead?.target ?? null,
  ];
}

export function deadLetterId(): string {
  return `dl_${uuidv7().replaceAll('-', '')}`;
}

function json(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
