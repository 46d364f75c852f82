// What is said of a run that did not succeed: its error, and its one dead letter.
import { createHash } from 'node:crypto';

import type { StoredError } from '../../contract/problem.ts';
import { jobIdOf } from '../../contract/run.ts';
import { findJobOfAnyTenant } from '../../db/jobs.ts';
import type { Database } from '../../db/pool.ts';
import type { RunDeadLetter } from '../../db/run-finish.ts';
import { stepsOfRuns } from '../../db/run-steps.ts';
import type { RunRow } from '../../db/runs.ts';
import { draftDeadLetter } from '../verdict.ts';

const CALL_FAILURES = ['httpStatus', 'network', 'timeout', 'workerLost'];

/** The error of the run and its dead letter, which names the step and what it failed of. */
export async function failureOf(
  db: Database,
  run: RunRow,
  failedStep: string | null,
  given: StoredError,
): Promise<{ error: StoredError; deadLetter: RunDeadLetter }> {
  const step = failedStep === null ? undefined : (await stepsOfRuns(db, [run.id])).find(({ id }) => id === failedStep);
  const job = failedStep === null ? null : await findJobOfAnyTenant(db, jobIdOf(run.id, failedStep, null));
  const cause = step?.error ?? given;
  const error = failedStep === null ? cause : { ...cause, title: `Step ${failedStep}: ${cause.title}` };
  const exhausted = job !== null && job.attempts >= job.spec.retry.maxAttempts;
  const isCall = CALL_FAILURES.includes(cause.code);
  const reason = isCall ? (exhausted ? 'attemptsExhausted' : 'nonRetryable') : cause.code;
  const target = `workflow ${run.workflow ?? 'inline'}`;
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([reason, cause.code, run.workflow, failedStep]))
    .digest('hex')
    .slice(0, 16);
  const place = job ? draftDeadLetter(job, reason, cause) : { reason, target, fingerprint };
  const host = job?.host ?? '';
  return { error, deadLetter: { ...place, stepId: failedStep, attempts: step?.attempts ?? 0, host, error: cause } };
}
