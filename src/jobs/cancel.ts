// Cancels a job at whatever stage it is: the row first, then the call under way, then its workflow.
import { type Client, WorkflowNotFoundError } from '@temporalio/client';

import { currentMs } from '../clock.ts';
import { OPEN_JOB_STATUSES } from '../contract/job.ts';
import type { StoredError } from '../contract/problem.ts';
import { notify } from '../db/notify.ts';
import type { Database } from '../db/pool.ts';
import { finishJob } from '../db/settle.ts';
import { reach } from '../failpoint.ts';
import type { Logger } from '../telemetry/log.ts';
import type { FollowUp } from './follow-up.ts';

/** Every worker listens here for calls to cut off. */
export const CANCEL_CHANNEL = 'perdure_cancel';

const RELAY_AFTER_MS = 5_000;

export type CancelJob = ReturnType<typeof createCancel>;

export function createCancel({
  db,
  client,
  followUp,
  log,
}: {
  db: Database;
  client: Client;
  followUp: FollowUp;
  log: Logger;
}) {
  /** False when the job is final, or not of this tenant. */
  return async function cancel(tenant: string, id: string): Promise<boolean> {
    const job = { id, tenant, from: OPEN_JOB_STATUSES };
    const checkAt = new Date(currentMs() + RELAY_AFTER_MS);
    const verdict = { status: 'canceled' as const, error: canceledError(), deadLetter: null, checkAt };
    const settled = await finishJob(db, job, verdict);
    if (!settled) return false;
    reach('cancel.settled');
    await notify(db, CANCEL_CHANNEL, id);
    void cancelWorkflow(client, id).catch((error: unknown) => {
      log.warn({ jobId: id, err: error }, 'workflow not canceled; the relay will');
    });
    await followUp.finished(id, 'canceled', settled, null);
    return true;
  };
}

/** Succeeds too when there is nothing to cancel. */
export async function cancelWorkflow(client: Client, id: string): Promise<void> {
  try {
    await client.withDeadline(Date.now() + 5_000, () => client.workflow.getHandle(id).cancel());
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

export function canceledError(): StoredError {
  return { code: 'canceled', title: 'The job was canceled', status: null, detail: null };
}
