// Ends many attempts in one statement, each row by the rules of settle.ts: only while its attempt's token still holds.
import { laneAttempts } from './attempts.ts';
import type { Database } from './pool.ts';
import {
  type AttemptOutcome,
  deadLetterId,
  deadLetters,
  OUTBOX,
  SETTLED,
  type Settled,
  type Verdict,
} from './settle.ts';

export interface ClosedAttempt {
  attemptId: string;
  jobId: string;
  outcome: AttemptOutcome;
  verdict: Verdict;
}

/** In the order in which everybody locks jobs. */
const GIVEN = `given as (
    select * from jsonb_to_recordset($1::jsonb) as given (attempt_id text, job_id text, outcome text, http_status integer,
      attempt_error jsonb, duration_ms integer, status text, error jsonb, result jsonb, next_attempt_at timestamptz,
      dead_id text, dead_reason text, dead_fingerprint text, dead_target text)
    order by job_id)`;

/** A carried job that is to be tried again leaves its carrier: the relay starts its workflow if nobody else does. */
const JOBS = `job as (
    update jobs set status = given.status, error = given.error, result = given.result, attempt_id = null,
      next_attempt_at = given.next_attempt_at, updated_at = now(),
      carrier = case when given.next_attempt_at is null then carrier end,
      finished_at = case when given.next_attempt_at is null then now() end,
      check_at = case when given.next_attempt_at is not null then now() + interval '3 seconds' end
    from given where jobs.id = given.job_id and jobs.attempt_id = given.attempt_id
    returning jobs.*, given.attempt_id as was_attempt, outcome, http_status, attempt_error, duration_ms, dead_id,
      dead_reason, dead_fingerprint, dead_target)`;

const FOLLOW_UPS = `${deadLetters('dead_id', 'dead_reason', 'dead_fingerprint', 'dead_target')},
  ${OUTBOX}
  select ${SETTLED} from job`;

const CLOSE_ATTEMPTS = `with ${GIVEN},
  attempt as (
    update attempts set outcome = given.outcome, http_status = given.http_status, error = given.attempt_error,
      duration_ms = given.duration_ms, finished_at = now()
    from given where attempts.id = given.attempt_id and attempts.outcome = 'open'),
  ${JOBS},
  ${FOLLOW_UPS}`;

const CLOSE_LANE_ATTEMPTS = `with ${GIVEN},
  ${JOBS},
  ${laneAttempts({
    ...{ attempt: 'was_attempt', outcome: 'outcome', status: 'http_status', error: 'attempt_error' },
    duration: 'duration_ms',
  })},
  ${FOLLOW_UPS}`;

/** The rows that were written; those missing had been canceled, taken over or settled before. */
export async function closeAttempts(db: Database, attempts: ClosedAttempt[]): Promise<Settled[]> {
  return db.bulk.query<Settled>(CLOSE_ATTEMPTS, [JSON.stringify(attempts.map(rowOf))]);
}

/** The same of first attempts that a lane has made. */
export async function closeLaneAttempts(db: Database, attempts: ClosedAttempt[]): Promise<Settled[]> {
  return db.bulk.query<Settled>(CLOSE_LANE_ATTEMPTS, [JSON.stringify(attempts.map(rowOf))]);
}

function rowOf({ attemptId, jobId, outcome, verdict }: ClosedAttempt) {
  const { deadLetter } = verdict;
  return {
    attempt_id: attemptId,
    job_id: jobId,
    outcome: outcome.outcome,
    http_status: outcome.httpStatus,
    attempt_error: outcome.error,
    duration_ms: outcome.durationMs,
    status: verdict.status,
    error: verdict.error,
    result: verdict.result,
    next_attempt_at: verdict.nextAttemptAt,
    dead_id: deadLetter && deadLetterId(),
    dead_reason: deadLetter?.reason,
    dead_fingerprint: deadLetter?.fingerprint,
    dead_target: deadLetter?.target,
  };
}
