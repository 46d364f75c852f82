// One job: wait for its time, then attempt until it is final. All state that others read is in PostgreSQL.
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  log,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';

import type { Activities } from '../activities/index.ts';
import type { AttemptResult, JobInput, JobPlan } from '../contract/temporal.ts';
import { runNowSignal } from './signals.ts';

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
  };

  try {
    const plan =
      'plan' in input ? input.plan : await durable.adoptJob({ jobId, spec: input.spec, tenant: input.tenant });
    if (plan.runAtMs !== null) await waitUntil(plan.runAtMs);
    let result = await firstAttempt(jobId, plan);
    while (result.kind !== 'final') {
      if (result.kind === 'retry') await waitUntil(Math.min(result.atMs, plan.deadlineAtMs ?? Infinity));
      result = await next(jobId, plan, result);
    }
    return conclude(result);
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => durable.confirmCanceled({ jobId }));
    throw error;
  }
}

async function firstAttempt(jobId: string, plan: JobPlan): Promise<AttemptResult> {
  if (plan.firstAttempt === 'regular') return attempt(jobId, plan);
  const local = proxyLocalActivities<Activities>({
    startToCloseTimeout: plan.timeoutMs + 10_000,
    retry: { maximumAttempts: 1 },
  });
  try {
    return await local.attempt({ jobId, plan });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the first attempt did not report back', { error });
    return { kind: 'unopened' };
  }
}

async function next(jobId: string, plan: JobPlan, last: AttemptResult): Promise<AttemptResult> {
  if (last.kind === 'unrecorded') return durable.recordAttempt(last.record);
  if (plan.deadlineAtMs !== null && Date.now() >= plan.deadlineAtMs) return durable.expireJob({ jobId });
  return attempt(jobId, plan);
}

/** Repeated by Temporal only when its worker vanished; a repetition first settles what the lost one left open. */
function attempt(jobId: string, plan: JobPlan): Promise<AttemptResult> {
  const { attempt: regular } = proxyActivities<Activities>({
    startToCloseTimeout: plan.timeoutMs + 120_000,
    heartbeatTimeout: '10s',
    retry: { initialInterval: '500ms', maximumInterval: '10s' },
  });
  return regular({ jobId, plan });
}

/** A job that did not succeed shows as failed in the Web UI too. */
function conclude({ status, reason, detail }: AttemptResult & { kind: 'final' }): { status: string } {
  if (status === 'succeeded' || status === 'canceled') return { status };
  throw ApplicationFailure.create({
    type: reason ?? status,
    message: detail ?? status,
    nonRetryable: true,
    category: 'BENIGN',
  });
}
