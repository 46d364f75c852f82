// Which jobs may have their first attempt made by a workflow that is not their own, or inside a workflow task.
import { parseDurationMs } from '../contract/duration.ts';
import type { JobSpec } from '../contract/job.ts';
import { LONGEST_LOCAL_CALL_MS } from '../contract/temporal.ts';

/** Longer calls would hold up the shutdown of a worker, and the others in their lane. */
const CARRIED_TIMEOUT_MS = 60_000;

export function isLocal(spec: JobSpec): boolean {
  return spec.delivery === 'atLeastOnce' && timeoutMsOf(spec) <= LONGEST_LOCAL_CALL_MS;
}

export function timeoutMsOf({ http }: JobSpec): number {
  return parseDurationMs(http.timeout) ?? Infinity;
}

export function isCarried(spec: JobSpec): boolean {
  const { delivery, runAt, delay, dependsOn } = spec;
  if (delivery !== 'atLeastOnce' || runAt !== null || delay !== null || dependsOn.length > 0) return false;
  return timeoutMsOf(spec) <= CARRIED_TIMEOUT_MS;
}
