// A schedule: when it fires, what it starts, and a row for each nominal time.
import type { Duration, Instant, Links, ListFilter } from './common.ts';
import type { HttpInput, JobFields } from './job.ts';

export type Overlap = 'skip' | 'bufferOne' | 'bufferAll' | 'cancelOther' | 'terminateOther' | 'allowAll';

export interface WorkflowTarget {
  name: string;
  version?: number;
  input?: unknown;
}

export type ScheduleTime =
  | { cron: string; every?: never; at?: never }
  | { cron?: never; every: Duration; at?: never }
  | { cron?: never; every?: never; at: Instant };

export type ScheduledJob = { http: HttpInput } & JobFields;

export type ScheduleAction = { job: ScheduledJob; workflow?: never } | { job?: never; workflow: WorkflowTarget };

export interface ScheduleFields {
  timezone?: string;
  overlap?: Overlap;
  catchupWindow?: Duration;
  jitter?: Duration;
  startAt?: Instant | null;
  endAt?: Instant | null;
  paused?: boolean;
  note?: string;
  pauseAfterFailures?: number | null;
}

export type ScheduleInput = ScheduleTime & ScheduleAction & ScheduleFields;

export interface ScheduleCounts {
  ran: number;
  skipped: number;
  missed: number;
  failed: number;
  consecutiveFailures: number;
}

export interface Schedule {
  id: string;
  cron: string | null;
  every: string | null;
  at: string | null;
  timezone: string;
  job: ScheduledJob | null;
  workflow: WorkflowTarget | null;
  overlap: Overlap;
  catchupWindow: string;
  jitter: string;
  startAt: string | null;
  endAt: string | null;
  paused: boolean;
  note: string;
  pauseAfterFailures: number | null;
  nextFireTimes: string[];
  lastFire: unknown;
  counts: ScheduleCounts;
  createdAt: string;
  updatedAt: string;
  links: Links;
}

export interface Tick {
  nominalTime: string;
  outcome: 'ran' | 'skippedOverlap' | 'missed' | 'paused' | 'caughtUp' | 'backfilled' | 'triggered';
  jobId: string | null;
  runId: string | null;
  startedAt: string | null;
  latenessMs: number | null;
  reason: string | null;
}

export interface TickFilter {
  from?: Instant;
  to?: Instant;
  limit?: number;
}

export interface BackfillInput {
  /** Inclusive. */
  from: Instant;
  /** Exclusive. */
  to: Instant;
  overlap?: Overlap;
}

export type PreviewInput = ({ cron: string; every?: never } | { cron?: never; every: Duration }) & {
  timezone?: string;
  count?: number;
  from?: Instant;
};

export type ScheduleFilter = ListFilter;
