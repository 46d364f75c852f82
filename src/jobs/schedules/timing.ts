// What a stored schedule means in time: its calendar, its windows, and the ids of its runs.
import { buildCalendar } from '../../calendar/build-calendar.ts';
import { type Calendar, nextAfter } from '../../calendar/evaluator.ts';
import { nominalText } from '../../calendar/format.ts';
import { parseDurationMs } from '../../contract/duration.ts';
import { type ScheduleName, type ScheduleSpec, temporalScheduleId, TICK_PREFIX } from '../../contract/schedule.ts';
import { parseTimestamp } from '../../contract/timestamp.ts';

const NOMINAL = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

export function calendarOf(spec: ScheduleSpec): Calendar {
  const built = buildCalendar({
    cron: spec.cron,
    everyMs: msOrNull(spec.every),
    atMs: timeOrNull(spec.at),
    timezone: spec.timezone,
    startAtMs: timeOrNull(spec.startAt),
    endAtMs: timeOrNull(spec.endAt),
  });
  if (!built.ok) throw new Error(`a stored schedule has no calendar: ${built.faults[0]?.reason ?? 'unknown'}`);
  return built.calendar;
}

export function jitterMsOf({ jitter }: ScheduleSpec): number {
  return parseDurationMs(jitter) ?? 0;
}

/** Nominal times before this one can no longer run of themselves. */
export function windowStartMs({ catchupWindow, jitter }: ScheduleSpec, nowMs: number): number {
  return nowMs - (parseDurationMs(catchupWindow) ?? 0) - (parseDurationMs(jitter) ?? 0);
}

/** The distance of the next two times, or null when there are not two. */
export function intervalMsOf(calendar: Calendar, nowMs: number): number | null {
  const next = nextAfter(calendar, nowMs);
  const second = next === null ? null : nextAfter(calendar, next);
  return next === null || second === null ? null : second - next;
}

export function tickId(name: ScheduleName, nominalMs: number): string {
  return `${temporalScheduleId(name)}-${nominalText(nominalMs)}`;
}

/** The nominal time in the id of a workflow that Temporal fired, or null if it is not such an id. */
export function nominalMsOf(name: ScheduleName, workflowId: string): number | null {
  const id = workflowId.startsWith(TICK_PREFIX) ? workflowId.slice(TICK_PREFIX.length) : workflowId;
  const prefix = `${temporalScheduleId(name)}-`;
  const text = id.slice(prefix.length);
  if (!id.startsWith(prefix) || !NOMINAL.test(text)) return null;
  return parseTimestamp(text)?.getTime() ?? null;
}

function msOrNull(duration: string | null): number | null {
  return duration === null ? null : parseDurationMs(duration);
}

function timeOrNull(time: string | null): number | null {
  return time === null ? null : (parseTimestamp(time)?.getTime() ?? null);
}
