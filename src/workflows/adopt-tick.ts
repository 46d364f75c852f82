// What a schedule fired asks what it is: a run, a run that waits for its turn, or nothing to do.
import {
  condition,
  isCancellation,
  log,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
} from '@temporalio/workflow';

import type { Activities } from '../activities/index.ts';
import type { ScheduleName } from '../contract/schedule.ts';
import type { AdoptedTick, JobPlan } from '../contract/temporal.ts';
import { releasedSignal } from './signals.ts';

const MIN_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;

/** The question changes nothing when it is asked again, so it is asked inside the first workflow task. */
const quick = proxyLocalActivities<Activities>({ startToCloseTimeout: '5s', retry: { maximumAttempts: 2 } });
const durable = proxyActivities<Activities>({ startToCloseTimeout: '30s', retry: { maximumInterval: '5s' } });

/** Null: nothing runs under this id. */
export async function adoptTick(jobId: string, schedule: ScheduleName): Promise<JobPlan | null> {
  let released = false;
  setHandler(releasedSignal, () => {
    released = true;
  });
  const sinceMs = Date.now();
  for (;;) {
    const tick = await ask(jobId, schedule);
    if (tick.kind !== 'wait') return tick.kind === 'plan' ? tick.plan : null;
    // A signal that got lost costs a tenth of the time waited.
    const waitMs = Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, (Date.now() - sinceMs) / 10));
    await condition(() => released, waitMs);
    released = false;
  }
}

async function ask(jobId: string, schedule: ScheduleName): Promise<AdoptedTick> {
  try {
    return await quick.adoptTick({ jobId, schedule });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the tick was not adopted at once', { error });
    return durable.adoptTick({ jobId, schedule });
  }
}
