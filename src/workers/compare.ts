// Compares one job with its workflow and does what brings the two together again.
import { type Client, WorkflowNotFoundError } from '@temporalio/client';

import { currentMs, currentTime } from '../clock.ts';
import { type FinalJobStatus, isFinal, OPEN_JOB_STATUSES } from '../contract/job.ts';
import type { StoredError } from '../contract/problem.ts';
import { RUN_NOW_SIGNAL } from '../contract/temporal.ts';
import type { JobRow } from '../db/jobs.ts';
import { notify } from '../db/notify.ts';
import { setCheck } from '../db/relay.ts';
import { finishJob } from '../db/settle.ts';
import { reach } from '../failpoint.ts';
import { CANCEL_CHANNEL, canceledError, cancelWorkflow } from '../jobs/cancel.ts';
import { draftDeadLetter } from '../jobs/verdict.ts';
import type { RelayDeps } from './relay.ts';

const LOOK_AGAIN_MS = 45_000;

export type WorkflowState = 'absent' | 'running' | 'canceled' | 'closed';

export function createCompare({ db, client, starter, followUp, metrics, log }: RelayDeps) {
  return async function compare(job: JobRow): Promise<void> {
    try {
      if (isFinal(job.status)) await endWorkflow(job);
      else if (job.status === 'blocked') await setCheck(db, [job.id], null, false);
      else if (!job.seenInTemporal) await startLost(job);
      else await settle(job, await stateOf(client, job.id));
    } catch (error) {
      log.warn({ jobId: job.id, err: error }, 'relay: comparison put off');
      await setCheck(db, [job.id], new Date(currentMs() + 2_000), false);
    }
  };

  /** Starting is idempotent: the workflow's id is the job's. */
  async function startLost(job: JobRow): Promise<void> {
    const exists = await starter.start(job);
    if (exists) metrics.relayStarts.inc();
    reach('relay.started');
    const lookAgainAt = exists ? nextLook() : new Date(currentMs() + 1_000);
    await setCheck(db, [job.id], lookAgainAt, exists);
  }

  async function endWorkflow({ id }: JobRow): Promise<void> {
    await cancelWorkflow(client, id);
    await setCheck(db, [id], null, true);
  }

  async function settle(job: JobRow, state: WorkflowState): Promise<void> {
    if (state === 'running') {
      if (isWaitingInVain(job)) await client.workflow.getHandle(job.id).signal(RUN_NOW_SIGNAL);
      return setCheck(db, [job.id], nextLook(), true);
    }
    const status: FinalJobStatus = state === 'canceled' ? 'canceled' : leftUnknown(job) ? 'unknown' : 'failed';
    const reason = status === 'canceled' ? null : 'terminatedExternally';
    const error = reason ? terminated(state) : canceledError();
    const deadLetter = reason ? draftDeadLetter(job, reason, error) : null;
    const from = { id: job.id, tenant: job.tenant, from: OPEN_JOB_STATUSES };
    const settled = await finishJob(db, from, { status, error, deadLetter, checkAt: null });
    if (!settled) return;
    metrics.relayRepairs.inc({ reason: state });
    log.warn({ jobId: job.id, state }, 'relay: the workflow ended without its job');
    await notify(db, CANCEL_CHANNEL, job.id);
    await followUp.finished(job.id, status, settled, reason);
  }
}

export async function stateOf(client: Client, id: string): Promise<WorkflowState> {
  try {
    const { status } = await client.withDeadline(Date.now() + 5_000, () => client.workflow.getHandle(id).describe());
    if (status.name === 'RUNNING' || status.name === 'PAUSED') return 'running';
    return status.name === 'CANCELLED' ? 'canceled' : 'closed';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'absent';
    throw error;
  }
}

/** Told to run now, while its workflow still sleeps. */
function isWaitingInVain({ status, attempts, runAt }: JobRow): boolean {
  return status === 'queued' && (attempts > 0 || (runAt !== null && runAt > currentTime()));
}

function leftUnknown({ spec, attemptId }: JobRow): boolean {
  return spec.delivery === 'atMostOnce' && attemptId !== null;
}

export function nextLook(): Date {
  return new Date(currentMs() + LOOK_AGAIN_MS);
}

export function terminated(state: WorkflowState): StoredError {
  const what = state === 'absent' ? 'deleted' : 'ended';
  return {
    code: 'terminatedExternally',
    title: 'The job was ended from outside',
    status: null,
    detail: `Its workflow was ${what} in Temporal before the job was final.`,
  };
}
