// The events of GET /v1/events: what may happen to what.
import { JOB_STATUSES } from './job.ts';
import { RUN_STATUSES } from './run.ts';
import { WORKER_STATES } from './worker.ts';

export const EVENT_STATUSES = {
  job: JOB_STATUSES,
  run: RUN_STATUSES,
  batch: ['running', 'finished', 'canceled'],
  /** First what was done to it, then what became of its nominal times. */
  schedule: [
    ...['created', 'updated', 'paused', 'resumed', 'deleted'],
    ...['ran', 'skippedOverlap', 'missed', 'caughtUp', 'backfilled', 'triggered'],
  ],
  worker: WORKER_STATES,
} as const satisfies Record<string, readonly string[]>;

export type EventSubject = keyof typeof EVENT_STATUSES;

export const EVENT_TYPES: readonly string[] = Object.entries(EVENT_STATUSES).flatMap(([subject, statuses]) =>
  statuses.map((status) => `${subject}.${status}`),
);
