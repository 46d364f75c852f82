// One job: wait for its time, then attempt until it is final. All state that others read is in PostgreSQL.
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';

import type { Activities } from '../activities/index.ts';
import type { AttemptResult, JobInput, JobPlan } from '../contract/temporal.ts';
import { adoptTick } from './adopt-tick.ts';
import { attemptLocally, attemptUntilFinal, regularAttempt } from './attempt-until-final.ts';
import { runNowSignal } from './signals.ts';

type Final = AttemptResult & { kind: 'final' };

const durable = proxyActivities<Activities>({ startToCloseTimeout: '30s', retry: { maximumInterval: '10s' } });

export async function httpJob(input: JobInput): Promise<{ status: string }> {
  const jobId = workflowInfo().workflowId;
  let runNow = false;
  setHandler(runNowSignal, () => {
    runNow = true;
  });
  /** Sleeps, unless the user is in a hurry. */
  const waitUntil = async (atMs: number) => {
    const waitMs = atMs - Date.now();
    if (waitMs > 0) await condition(() => runNow, waitMs);
    runNow = false;
    return true;
  };

  try {
    const plan = await planOf(jobId, input);
    if (plan === null) return { status: 'none' };
    if (plan.runAtMs !== null) await waitUntil(plan.runAtMs);
    const ended = await attemptUntilFinal<Final>({
      first: () => firstAttempt(jobId, plan),
      again: () => nextAttempt(jobId, plan),
      record: (record) => durable.recordAttempt(record),
      waitUntil: (atMs) => waitUntil(Math.min(atMs, plan.deadlineAtMs ?? Infinity)),
    });
    if (ended.kind !== 'final') throw ApplicationFailure.nonRetryable('the attempts of a job were interrupted');
    return conclude(ended);
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => durable.confirmCanceled({ jobId }));
    throw error;
  }
}

/** Null: a schedule fired what is not to run. */
async function planOf(jobId: string, input: JobInput): Promise<JobPlan | null> {
  if ('plan' in input) return input.plan;
  if ('schedule' in input) return adoptTick(jobId, input.schedule);
  return durable.adoptJob({ jobId, spec: input.spec, tenant: input.tenant });
}

function firstAttempt(jobId: string, plan: JobPlan): Promise<AttemptResult> {
  if (plan.firstAttempt === 'regular') return attempt(jobId, plan);
  return attemptLocally(plan.timeoutMs, undefined, (local) => local.attempt({ jobId, plan }));
}

async function nextAttempt(jobId: string, plan: JobPlan): Promise<AttemptResult> {
  if (plan.deadlineAtMs !== null && Date.now() >= plan.deadlineAtMs) return durable.expireJob({ jobId });
  return attempt(jobId, plan);
}

function attempt(jobId: string, plan: JobPlan): Promise<AttemptResult> {
  return proxyActivities<Activities>(regularAttempt(plan.timeoutMs)).attempt({ jobId, plan });
}

/** A job that did not succeed shows as failed in the Web UI too. */
function conclude({ status, reason, detail }: Final): { status: string } {
  if (status === 'succeeded' || status === 'canceled') return { status };
  throw ApplicationFailure.create({
    type: reason ?? status,
    message: detail ?? status,
    nonRetryable: true,
    category: 'BENIGN',
  });
}
