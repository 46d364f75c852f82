// The shape of a schedule and of its ticks as they are stored: what crosses a process boundary.
import type { JobSpec } from './job.ts';

export const OVERLAPS = ['skip', 'bufferOne', 'bufferAll', 'cancelOther', 'terminateOther', 'allowAll'] as const;
export type Overlap = (typeof OVERLAPS)[number];

export const TICK_OUTCOMES = [
  'ran',
  'skippedOverlap',
  'missed',
  'paused',
  'caughtUp',
  'backfilled',
  'triggered',
] as const;
export type TickOutcome = (typeof TICK_OUTCOMES)[number];

export interface WorkflowAction {
  name: string;
  version: number | null;
  input: unknown;
}

/** A schedule as accepted, defaults filled in. One of `cron`, `every`, `at` and one of `job`, `workflow` is not null. */
export interface ScheduleSpec {
  cron: string | null;
  every: string | null;
  at: string | null;
  timezone: string;
  job: JobSpec | null;
  workflow: WorkflowAction | null;
  overlap: Overlap;
  catchupWindow: string;
  jitter: string;
  startAt: string | null;
  endAt: string | null;
  pauseAfterFailures: number | null;
}

export interface ScheduleName {
  tenant: string;
  id: string;
}

/** Before the id of a workflow that only brings a tick: what then runs has the id without it. */
export const TICK_PREFIX = 'tick:';

/** The id of what a schedule does in Temporal, and the beginning of the ids of its runs. Schedule ids have no dots. */
export function temporalScheduleId({ tenant, id }: ScheduleName): string {
  return tenant === 'default' ? id : `${tenant}.${id}`;
}
