// What becomes of a job after an attempt: done, another attempt and when, or a dead letter and why.
import { createHash } from 'node:crypto';

import { parseDurationMs } from '../contract/duration.ts';
import type { JobSpec, RetryTrigger, StatusMatch } from '../contract/job.ts';
import type { StoredError } from '../contract/problem.ts';
import type { StoredResult } from '../db/jobs.ts';
import type { DeadLetterDraft, Verdict } from '../db/settle.ts';

/** One attempt, classed by proof: no byte left, a status line was seen, or nobody can know. */
export type CallOutcome =
  | { kind: 'answered'; result: StoredResult; retryAfterMs: number | null; noRetry: boolean }
  | { kind: 'notSent' | 'unknown'; code: string; detail: string; durationMs: number | null };

export interface JudgedJob {
  spec: JobSpec;
  host: string;
  attempts: number;
  deadlineAt: Date | null;
}

export function judge(job: JudgedJob, outcome: CallOutcome, now: Date, random = Math.random): Verdict {
  const result = outcome.kind === 'answered' ? outcome.result : null;
  if (result && matches(job.spec.http.successOn, result.status)) {
    return { status: 'succeeded', nextAttemptAt: null, result, error: null, deadLetter: null };
  }
  const error = describe(outcome);
  const final = (status: 'failed' | 'expired' | 'unknown', reason: string, shown = error): Verdict => ({
    status,
    nextAttemptAt: null,
    result,
    error: shown,
    deadLetter: draftDeadLetter(job, reason, shown),
  });

  if (outcome.kind === 'unknown' && job.spec.delivery === 'atMostOnce') {
    return final('unknown', 'outcomeUnknown', {
      ...error,
      code: 'outcomeUnknown',
      title: 'The call may have reached its target',
    });
  }
  if (outcome.kind === 'notSent' && outcome.code === 'targetNotAllowed') return final('failed', 'targetNotAllowed');
  if (outcome.kind === 'notSent' && outcome.code === 'secretNotFound') return final('failed', 'secretNotFound');
  if (job.deadlineAt && job.deadlineAt <= now) return final('expired', 'deadlineExceeded', deadlineExceeded());
  if (!isRetryable(job.spec, outcome)) return final('failed', 'nonRetryable');
  if (job.attempts >= job.spec.retry.maxAttempts) return final('failed', 'attemptsExhausted');
  const nextAttemptAt = new Date(now.getTime() + delayMs(job, outcome, random));
  return { status: 'retrying', nextAttemptAt, result, error, deadLetter: null };
}

export function draftDeadLetter(
  { spec, host }: Pick<JudgedJob, 'spec' | 'host'>,
  reason: string,
  error: StoredError,
): DeadLetterDraft {
  const target = `${spec.http.method} ${spec.http.url.split(/[?#]/)[0] ?? ''}`;
  // Numbers and ids differ from one failure to the next although the fault is the same.
  const pattern = (error.detail ?? '').replace(/[0-9a-f]{8,}|\d+/gi, '#');
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([reason, error.code, error.status, host, pattern]))
    .digest('hex')
    .slice(0, 16);
  return { reason, fingerprint, target };
}

export function deadlineExceeded(): StoredError {
  return { code: 'deadlineExceeded', title: 'The deadline has passed', status: null, detail: null };
}

function isRetryable({ retry, delivery }: JobSpec, outcome: CallOutcome): boolean {
  if (outcome.kind === 'answered') {
    if (outcome.noRetry) return false;
    // A target that answered has acted; of the answers only 429 says that it has not.
    if (delivery === 'atMostOnce' && outcome.result.status !== 429) return false;
    return matches(retry.retryOn, outcome.result.status);
  }
  // A worker that vanished or was shut down says nothing about the target.
  if (outcome.code === 'workerLost' || outcome.code === 'canceled') return true;
  return retry.retryOn.includes(outcome.code === 'timeout' ? 'timeout' : 'network');
}

function delayMs({ spec: { retry }, attempts }: JudgedJob, outcome: CallOutcome, random: () => number): number {
  const initialMs = parseDurationMs(retry.initialInterval) ?? 1_000;
  const maxMs = parseDurationMs(retry.maxInterval) ?? 60_000;
  const plainMs = Math.min(maxMs, initialMs * retry.backoffCoefficient ** (attempts - 1));
  const jitteredMs = Math.min(maxMs, plainMs * (1 - retry.jitter + 2 * retry.jitter * random()));
  const asked = outcome.kind === 'answered' && retry.respectRetryAfter ? outcome.retryAfterMs : null;
  if (asked === null) return Math.round(jitteredMs);
  const capMs = parseDurationMs(retry.maxRetryAfter) ?? 3_600_000;
  return Math.round(Math.max(jitteredMs, Math.min(asked, capMs)));
}

function describe(outcome: CallOutcome): StoredError {
  if (outcome.kind === 'answered') {
    const { status } = outcome.result;
    return { code: 'httpStatus', title: `The target answered ${status}`, status, detail: null };
  }
  const titles: Record<string, string> = {
    timeout: 'The call took too long',
    network: 'The target could not be reached',
    targetNotAllowed: 'The target is not allowed',
    secretNotFound: 'A secret that the call needs is gone',
    secretUnreadable: 'A secret that the call needs cannot be read',
    workerLost: 'The worker vanished in the middle of the call',
    canceled: 'The call was cut off',
  };
  return { code: outcome.code, title: titles[outcome.code] ?? 'The call failed', status: null, detail: outcome.detail };
}

function matches(list: readonly (StatusMatch | RetryTrigger)[], status: number): boolean {
  return list.includes(status) || list.includes(`${Math.floor(status / 100)}xx` as StatusMatch);
}
