// /v1/schedules in the API description.
import { z } from 'zod';

import { TICK_OUTCOMES } from '../../contract/schedule.ts';
import { untimedJobInputSchema } from '../../jobs/spec/job-schema.ts';
import { scheduleSchema as scheduleInputSchema } from '../schemas/schedule.ts';
import { backfillSchema, pauseSchema } from '../schemas/schedule-requests.ts';
import { filter, IDEMPOTENCY_KEY, PAGE, PREFER } from './components.ts';
import { NO_BODY, type Node, operation, type OperationOptions, ref, type Resource } from './document.ts';
import { newJobExample } from './job-examples.ts';
import { jobSchema } from './job-schemas.ts';
import { runSchema } from './run-schemas.ts';
import {
  SCHEDULE_ID_PATTERN,
  scheduleExample,
  scheduleInput,
  scheduleSchema,
  tickExample,
  tickSchema,
} from './schedule-schemas.ts';
import { count, instant, listOf } from './schemas.ts';

const TAG = 'Schedules';
const describe = (options: OperationOptions): Node => operation(TAG, options);

const SCHEDULE_ID: Node = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: SCHEDULE_ID_PATTERN, not: { const: 'preview' } },
  example: scheduleExample.id,
};

const time: Node = { type: 'string', format: 'date-time' };

function query(name: string, description: string, schema: Node, example?: unknown): Node {
  return { name, in: 'query', description, schema, ...(example === undefined ? {} : { example }) };
}

const PREVIEW = [
  query('cron', 'As in a schedule. One of `cron` and `every`.', { type: 'string' }, '0 6 * * mon-fri'),
  query('every', 'As in a schedule.', ref('schemas', 'Duration')),
  query('timezone', 'An IANA name.', { type: 'string', maxLength: 64, default: 'UTC' }, 'Europe/Paris'),
  query('count', 'How many times.', { type: 'integer', minimum: 1, maximum: 1_000, default: 5 }),
  query('from', 'The first one is after this.', time),
];

const TICKS = [
  filter('outcome', 'By outcome.', { type: 'string', enum: [...TICK_OUTCOMES] }, 'ran'),
  query('from', 'Inclusive.', time, '2026-11-01T00:00:00Z'),
  query('to', 'Exclusive.', time, '2027-11-01T00:00:00Z'),
  ref('parameters', 'Limit'),
  ref('parameters', 'Cursor'),
];

export const schedules: Resource = {
  tag: {
    name: TAG,
    description: 'Jobs and workflows by the clock: at most one run per nominal time, and a row for each.',
  },
  inputs: {
    ScheduleInput: scheduleInputSchema,
    ScheduledJobInput: untimedJobInputSchema,
    PauseInput: pauseSchema,
    BackfillInput: backfillSchema,
  },
  outputs: {
    Schedule: scheduleSchema,
    ScheduleList: listOf(scheduleSchema),
    Tick: tickSchema,
    TickList: listOf(tickSchema),
    FireTimes: z.strictObject({ fireTimes: z.array(instant) }),
    Backfill: z.strictObject({ accepted: count }),
    Triggered: z.union([jobSchema, runSchema]),
  },
  notes: {
    ScheduleInput: {
      cron: {
        description: '5 fields, or 6 with seconds first, or `@daily` and the like. One of `cron`, `every`, `at`.',
      },
      every: { description: 'At least `1s`; aligned to `startAt`, else to the Unix epoch.' },
      at: { description: 'One single time.' },
      timezone: { default: 'UTC', description: 'An IANA name.' },
      job: { ...ref('schemas', 'ScheduledJobInput'), description: 'One of `job` and `workflow`.' },
      overlap: { default: 'skip', description: 'What happens when the run before is still under way.' },
      catchupWindow: { default: '10m', description: 'How late a run may still start; at least `10s`.' },
      jitter: { default: '0s', description: 'Shorter than the time from one run to the next.' },
      paused: { default: false },
      pauseAfterFailures: { description: 'So many failed runs in a row pause it.' },
    },
    ScheduledJobInput: { labels: { maxProperties: 20 } },
    BackfillInput: { from: { description: 'Inclusive.' }, to: { description: 'Exclusive.' } },
  },
  paths: {
    '/v1/schedules': {
      get: describe({
        id: 'listSchedules',
        summary: 'List schedules, newest first',
        parameters: PAGE,
        answers: {
          200: {
            description: 'A page of schedules.',
            schema: 'ScheduleList',
            example: { items: [scheduleExample], nextCursor: null },
          },
        },
      }),
    },
    '/v1/schedules/preview': {
      get: describe({
        id: 'previewSchedule',
        summary: 'Say when something would fire',
        description: 'In the zone of the schedule, by the very calendar that decides, daylight saving included.',
        parameters: PREVIEW,
        answers: {
          200: {
            description: 'The times.',
            schema: 'FireTimes',
            example: { fireTimes: ['2026-12-02T06:00:00+01:00', '2026-12-03T06:00:00+01:00'] },
          },
        },
      }),
    },
    '/v1/schedules/{id}': {
      put: describe({
        id: 'putSchedule',
        summary: 'Create or replace a schedule',
        parameters: [SCHEDULE_ID],
        body: { schema: 'ScheduleInput', required: true, examples: { weekdays: scheduleInput } },
        answers: {
          201: { description: 'Created.', schema: 'Schedule', example: scheduleExample, headers: ['Location'] },
          200: { description: 'Replaced.', schema: 'Schedule' },
        },
        problems: ['targetNotAllowed', 'quotaExceeded'],
      }),
      get: describe({
        id: 'getSchedule',
        summary: 'Read a schedule',
        parameters: [SCHEDULE_ID],
        answers: { 200: { description: 'The schedule.', schema: 'Schedule', example: scheduleExample } },
        problems: ['notFound'],
      }),
      delete: describe({
        id: 'deleteSchedule',
        summary: 'Delete a schedule',
        description: 'The jobs it has made stay.',
        parameters: [SCHEDULE_ID],
        answers: { 204: { description: 'Deleted.' } },
        problems: ['notFound'],
      }),
    },
    '/v1/schedules/{id}/pause': {
      post: describe({
        id: 'pauseSchedule',
        summary: 'Pause a schedule',
        description: 'While it is paused, each nominal time becomes a `paused` row.',
        parameters: [SCHEDULE_ID],
        body: {
          schema: 'PauseInput',
          required: false,
          examples: { withNote: { note: 'until the migration is done' } },
        },
        answers: { 200: { description: 'The schedule, paused.', schema: 'Schedule' } },
        problems: ['notFound'],
      }),
    },
    '/v1/schedules/{id}/resume': {
      post: describe({
        id: 'resumeSchedule',
        summary: 'Resume a schedule',
        parameters: [SCHEDULE_ID],
        body: NO_BODY,
        answers: { 200: { description: 'The schedule, running again.', schema: 'Schedule' } },
        problems: ['notFound'],
      }),
    },
    '/v1/schedules/{id}/trigger': {
      post: describe({
        id: 'triggerSchedule',
        summary: 'Run it now, beside its own times',
        parameters: [SCHEDULE_ID, IDEMPOTENCY_KEY, PREFER],
        body: NO_BODY,
        answers: {
          201: {
            description: 'The job, or the run of the workflow.',
            schema: 'Triggered',
            example: newJobExample,
            headers: ['Location', 'PreferenceApplied'],
          },
          200: {
            description: 'The answer to the first request with this key.',
            schema: 'Triggered',
            headers: ['Location', 'IdempotencyReplayed', 'PreferenceApplied'],
          },
        },
        problems: ['notFound', 'invalidIdempotencyKey', 'idempotencyKeyReused', 'quotaExceeded'],
      }),
    },
    '/v1/schedules/{id}/backfill': {
      post: describe({
        id: 'backfillSchedule',
        summary: 'Run the nominal times of the past',
        description: 'What has run is never run again. At most 1,000 times at once.',
        parameters: [SCHEDULE_ID, IDEMPOTENCY_KEY],
        body: {
          schema: 'BackfillInput',
          required: true,
          examples: { oneDay: { from: '2026-11-30T00:00:00Z', to: '2026-12-01T00:00:00Z' } },
        },
        answers: {
          202: { description: 'How many will run.', schema: 'Backfill', example: { accepted: 1 } },
          200: {
            description: 'The answer to the first request with this key.',
            schema: 'Backfill',
            headers: ['IdempotencyReplayed'],
          },
        },
        problems: ['notFound', 'invalidIdempotencyKey', 'idempotencyKeyReused'],
      }),
    },
    '/v1/schedules/{id}/ticks': {
      get: describe({
        id: 'listTicks',
        summary: 'List what came of each nominal time, newest first',
        parameters: [SCHEDULE_ID, ...TICKS],
        answers: {
          200: {
            description: 'A page of ticks.',
            schema: 'TickList',
            example: { items: [tickExample], nextCursor: null },
          },
        },
        problems: ['notFound'],
      }),
    },
  },
};
