// What a schedule and a tick look like in answers, with an example of each.
import { z } from 'zod';

import { OVERLAPS, TICK_OUTCOMES } from '../../contract/schedule.ts';
import type { scheduleView, tickView } from '../../jobs/schedules/view.ts';
import { jobExample } from './job-examples.ts';
import { jobSchema } from './job-schemas.ts';
import { answerSchema, count, durationText, id, instant } from './schemas.ts';

export const SCHEDULE_ID_PATTERN = '^[a-zA-Z0-9_-]{1,64}$';
const outcome = z.enum(TICK_OUTCOMES);
const ran = { jobId: id.nullable(), runId: id.nullable() };

const scheduledJob = jobSchema.pick({
  name: true,
  http: true,
  retry: true,
  delivery: true,
  lane: true,
  priority: true,
  deadline: true,
  dependsOn: true,
  onDependencyFailure: true,
  notify: true,
  labels: true,
});

export const scheduleSchema = answerSchema<ReturnType<typeof scheduleView>>()(
  z.strictObject({
    id: z.string(),
    cron: z.string().nullable(),
    every: durationText.nullable(),
    at: instant.nullable(),
    timezone: z.string(),
    job: scheduledJob.nullable(),
    workflow: z.strictObject({ name: z.string(), version: z.int().nullable(), input: z.unknown() }).nullable(),
    overlap: z.enum(OVERLAPS),
    catchupWindow: durationText,
    jitter: durationText,
    startAt: instant.nullable(),
    endAt: instant.nullable(),
    paused: z.boolean(),
    note: z.string(),
    pauseAfterFailures: z.int().nullable(),
    nextFireTimes: z.array(instant).max(5),
    lastFire: z
      .strictObject({ nominalTime: instant, outcome, ...ran, startedAt: instant, latenessMs: count })
      .nullable(),
    counts: z.strictObject({ ran: count, skipped: count, missed: count, failed: count, consecutiveFailures: count }),
    createdAt: instant,
    updatedAt: instant,
    links: z.strictObject({ self: z.string(), ticks: z.string(), temporal: z.string().nullable() }),
  }),
);

export const tickSchema = answerSchema<ReturnType<typeof tickView>>()(
  z.strictObject({
    nominalTime: instant,
    outcome: outcome.nullable(),
    ...ran,
    startedAt: instant.nullable(),
    latenessMs: count.nullable(),
    reason: z.string().nullable(),
  }),
);

export const scheduleInput = {
  cron: '0 6 * * mon-fri',
  timezone: 'Europe/Paris',
  job: { name: 'morning-report', http: { method: 'POST', url: 'https://api.example.com/reports' } },
  catchupWindow: '1h',
};

const { http, retry, delivery, lane, priority, dependsOn, onDependencyFailure } = jobExample;
const fired = 'morning-report-2026-12-01T05:00:00Z';

export const scheduleExample = {
  id: 'morning-report',
  ...scheduleInput,
  every: null,
  at: null,
  job: {
    ...{ name: 'morning-report', http, retry, delivery, lane, priority, dependsOn, onDependencyFailure },
    deadline: null,
    notify: [],
    labels: {},
  },
  workflow: null,
  overlap: 'skip',
  jitter: '0s',
  startAt: null,
  endAt: null,
  paused: false,
  note: '',
  pauseAfterFailures: null,
  nextFireTimes: [2, 3, 4, 7, 8].map((day) => `2026-12-0${day}T05:00:00Z`),
  lastFire: {
    nominalTime: '2026-12-01T05:00:00Z',
    outcome: 'ran',
    jobId: fired,
    runId: null,
    startedAt: '2026-12-01T05:00:00.045Z',
    latenessMs: 45,
  },
  counts: { ran: 12, skipped: 0, missed: 0, failed: 0, consecutiveFailures: 0 },
  createdAt: '2026-11-15T09:00:00.000Z',
  updatedAt: '2026-11-15T09:00:00.000Z',
  links: { self: '/v1/schedules/morning-report', ticks: '/v1/schedules/morning-report/ticks', temporal: null },
};

export const tickExample = {
  nominalTime: '2026-12-01T05:00:00Z',
  outcome: 'ran',
  jobId: fired,
  runId: null,
  startedAt: '2026-12-01T05:00:00.045Z',
  latenessMs: 45,
  reason: null,
};
