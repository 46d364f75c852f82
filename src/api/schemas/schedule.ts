// The body of a schedule: its shape, its job by the rules of jobs, and its times by our own calendar.
import { z } from 'zod';

import { buildCalendar, type CalendarFault } from '../../calendar/build-calendar.ts';
import { type Calendar, nextAfter } from '../../calendar/evaluator.ts';
import { parseDurationMs } from '../../contract/duration.ts';
import type { JobSpec } from '../../contract/job.ts';
import type { FieldFault } from '../../contract/problem.ts';
import { OVERLAPS, type WorkflowAction } from '../../contract/schedule.ts';
import { parseTimestamp } from '../../contract/timestamp.ts';
import type { DesiredSchedule } from '../../db/schedules.ts';
import type { EgressPolicy } from '../../jobs/http/egress.ts';
import { onePerPointer, parseBySchema } from '../../jobs/spec/faults.ts';
import { parseJobSpec, type SpecFaultCode } from '../../jobs/spec/parse-job-spec.ts';
import { duration, exclusive, integer, isMembers, printable, timestamp, withRule } from '../../jobs/spec/rules.ts';

const ID = /^[a-zA-Z0-9_-]{1,64}$/;
const DEFAULT_ZONE = 'UTC';
const DEFAULT_CATCHUP = '10m';
const NO_JITTER = '0s';
/** How many of the next intervals `jitter` is compared with. */
const INTERVALS_LOOKED_AT = 60;

const workflowSchema = z.strictObject({
  name: z.string().regex(ID, 'Must be the name of a workflow.'),
  version: integer(1, 2_147_483_647).nullish(),
  input: z.unknown().optional(),
});

export const scheduleSchema = withRule(
  z.strictObject({
    cron: z.string().nullish(),
    every: duration({ minMs: 1_000, max: '3653d' }).nullish(),
    at: timestamp().nullish(),
    timezone: z.string().max(64).optional(),
    job: z.unknown().optional(),
    workflow: workflowSchema.nullish(),
    overlap: z.enum(OVERLAPS).optional(),
    catchupWindow: duration({ minMs: 10_000, max: '365d' }).optional(),
    jitter: duration({ minMs: 0, max: '365d' }).optional(),
    startAt: timestamp().nullish(),
    endAt: timestamp().nullish(),
    paused: z.boolean().optional(),
    note: printable(0, 500).nullish(),
    pauseAfterFailures: integer(1, 1_000_000).nullish(),
  }),
  (schedule) => [...exclusive(schedule, ['cron', 'every', 'at']), ...exclusive(schedule, ['job', 'workflow'])],
);

type ScheduleInput = z.infer<typeof scheduleSchema>;

export type ParsedSchedule =
  { ok: true; desired: DesiredSchedule } | { ok: false; code: SpecFaultCode; faults: FieldFault[] };

export function scheduleIdFault(id: string): FieldFault | null {
  if (id === 'preview') return { pointer: '/id', detail: 'This id is taken.' };
  if (ID.test(id)) return null;
  return { pointer: '/id', detail: 'An id has 1 to 64 letters, digits, "_" and "-".' };
}

/** Every fault at once: each part is judged also where another one is faulty. */
export function parseSchedule(body: unknown, { policy, now }: { policy: EgressPolicy; now: Date }): ParsedSchedule {
  const parsed = parseBySchema(scheduleSchema, body);
  if (!isMembers(body)) return { ok: false, code: 'validationFailed', faults: parsed.ok ? [] : parsed.faults };
  const job = body.job === undefined || body.job === null ? null : parseJob(body.job, policy, now);
  const timing = parseTiming(body, now.getTime());
  const faults = onePerPointer([
    ...(parsed.ok ? [] : parsed.faults),
    ...timing.faults,
    ...(job && !job.ok ? job.faults : []),
    ...(job || isMembers(body.workflow) ? [] : [{ pointer: '/job', detail: 'One of job and workflow is needed.' }]),
  ]);
  if (parsed.ok && faults.length === 0) {
    return { ok: true, desired: withDefaults(parsed.value, job?.ok ? job.spec : null) };
  }
  const code = job && !job.ok ? job.code : 'validationFailed';
  return { ok: false, code, faults };
}

function parseJob(job: unknown, policy: EgressPolicy, now: Date) {
  return parseJobSpec(job, { policy, now, allowTiming: false, basePointer: '/job' });
}

/** What cannot be read is named by the schema, and is left out here. */
function parseTiming(body: Record<string, unknown>, nowMs: number): { faults: FieldFault[] } {
  const every = textOf(body.every);
  const built = buildCalendar({
    cron: textOf(body.cron),
    everyMs: every === null ? null : (parseDurationMs(every) ?? Number.NaN),
    atMs: timeOf(body.at),
    timezone: textOf(body.timezone) ?? DEFAULT_ZONE,
    startAtMs: timeOf(body.startAt),
    endAtMs: timeOf(body.endAt),
    nowMs,
  });
  if (!built.ok) return { faults: built.faults.map((fault) => calendarFault(fault)) };
  const jitterMs = parseDurationMs(textOf(body.jitter) ?? NO_JITTER) ?? 0;
  const shortestMs = shortestIntervalMs(built.calendar, nowMs);
  if (jitterMs === 0 || shortestMs === null || jitterMs < shortestMs) return { faults: [] };
  return { faults: [{ pointer: '/jitter', detail: 'Must be shorter than the time from one run to the next.' }] };
}

export function calendarFault({ field, reason, position }: CalendarFault, base = ''): FieldFault {
  const where = position === undefined ? '' : ` (at position ${position})`;
  return { pointer: `${base}/${field}`, detail: `${reason}${where}` };
}

/** Null for a schedule with a single time. */
function shortestIntervalMs(calendar: Calendar, nowMs: number): number | null {
  let shortestMs: number | null = null;
  let time = nextAfter(calendar, nowMs);
  for (let count = 0; time !== null && count < INTERVALS_LOOKED_AT; count++) {
    const next = nextAfter(calendar, time);
    if (next !== null) shortestMs = Math.min(shortestMs ?? Infinity, next - time);
    time = next;
  }
  return shortestMs;
}

function withDefaults(input: ScheduleInput, job: JobSpec | null): DesiredSchedule {
  return {
    paused: input.paused ?? false,
    note: input.note ?? '',
    spec: {
      cron: input.cron ?? null,
      every: input.every ?? null,
      at: instantOf(input.at),
      timezone: input.timezone ?? DEFAULT_ZONE,
      job,
      workflow: workflowOf(input.workflow),
      overlap: input.overlap ?? 'skip',
      catchupWindow: input.catchupWindow ?? DEFAULT_CATCHUP,
      jitter: input.jitter ?? NO_JITTER,
      startAt: instantOf(input.startAt),
      endAt: instantOf(input.endAt),
      pauseAfterFailures: input.pauseAfterFailures ?? null,
    },
  };
}

function workflowOf(workflow: ScheduleInput['workflow']): WorkflowAction | null {
  return workflow ? { name: workflow.name, version: workflow.version ?? null, input: workflow.input ?? null } : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function timeOf(value: unknown): number | null {
  return typeof value === 'string' ? (parseTimestamp(value)?.getTime() ?? null) : null;
}

function instantOf(time: string | null | undefined): string | null {
  return parseTimestamp(time ?? '')?.toISOString() ?? null;
}
