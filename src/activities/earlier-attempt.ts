// An attempt that is still open when the next one begins: under way in this process, slow elsewhere, or lost.
import { setTimeout as sleep } from 'node:timers/promises';

import { attemptAgeMs } from '../db/attempts.ts';
import { findJobOfAnyTenant, type JobRow } from '../db/jobs.ts';
import type { Database } from '../db/pool.ts';
import type { InFlight } from './in-flight.ts';

/** Up to here waiting until its time is over costs little; of longer calls the missing heartbeat says enough. */
const SHORT_TIMEOUT_MS = 10_000;
const SLACK_MS = 2_000;
const ASK_EVERY_MS = 200;

/**
 * Temporal repeats a task that a busy worker was late with, although its call goes on: to take it for lost would send
 * the request twice. True when the earlier attempt settled itself meanwhile, false when nobody will hear of it again.
 */
export async function settlesItself(
  { db, inFlight }: { db: Database; inFlight: InFlight },
  job: JobRow,
  timeoutMs: number,
): Promise<boolean> {
  const { attemptId } = job;
  if (attemptId === null) return true;
  const patienceMs = timeoutMs <= SHORT_TIMEOUT_MS ? timeoutMs + SLACK_MS : 0;
  const ageMs = await attemptAgeMs(db, attemptId);
  const lostAt = performance.now() + patienceMs - ageMs;
  while (inFlight.isHeld(attemptId) || performance.now() < lostAt) {
    await sleep(ASK_EVERY_MS);
    const now = await findJobOfAnyTenant(db, job.id);
    if (now?.attemptId !== attemptId) return true;
  }
  return false;
}
