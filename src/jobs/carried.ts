// Which jobs may have their first attempt made by a workflow that is not their own.
import { parseDurationMs } from '../contract/duration.ts';
import type { JobSpec } from '../contract/job.ts';

/** Longer calls would hold up the shutdown of a worker, and the others in their lane. */
const CARRIED_TIMEOUT_MS = 60_000;

export function isCarried({ http, delivery, runAt, delay, dependsOn }: JobSpec): boolean {
  if (delivery !== 'atLeastOnce' || runAt !== null || delay !== null || dependsOn.length > 0) return false;
  return (parseDurationMs(http.timeout) ?? Infinity) <= CARRIED_TIMEOUT_MS;
}
