// Turns the schedule fields a caller sent into a calendar, or says which field is wrong and why.
import { type CronSpec, parseCron } from './cron.ts';
import { type Bounds, type Calendar, nextAfter } from './evaluator.ts';
import { findIntervalFault } from './interval.ts';
import { isValidTimezone } from './zone.ts';

export interface CalendarInput {
  cron?: string | null;
  everyMs?: number | null;
  atMs?: number | null;
  timezone: string;
  startAtMs?: number | null;
  endAtMs?: number | null;
  /** With it, times in the past or more than ten years ahead are refused; leave it out to read a stored schedule. */
  nowMs?: number;
}

export interface CalendarFault {
  field: 'cron' | 'every' | 'at' | 'timezone' | 'startAt' | 'endAt';
  reason: string;
  /** Where in the cron text. */
  position?: number;
}

export type CalendarResult = { ok: true; calendar: Calendar } | { ok: false; faults: CalendarFault[] };

type Times = Pick<CalendarInput, 'atMs' | 'startAtMs' | 'endAtMs'>;

const MAX_YEARS_AHEAD = 10;

/** All faults at once; fractions of a second are rounded into the bounds, and `at` up to the next second. */
export function buildCalendar(input: CalendarInput): CalendarResult {
  const faults: CalendarFault[] = [];
  const bounds: Bounds = {
    ...(typeof input.startAtMs === 'number' && { startAtMs: Math.ceil(input.startAtMs / 1000) * 1000 }),
    ...(typeof input.endAtMs === 'number' && { endAtMs: Math.floor(input.endAtMs / 1000) * 1000 }),
  };
  if (!isValidTimezone(input.timezone)) {
    faults.push({ field: 'timezone', reason: `${JSON.stringify(input.timezone)} is not an IANA time zone.` });
  }
  faults.push(...findTimeFaults(input));
  const rule = buildRule(input, bounds, faults);
  if (!rule || faults.length > 0) return { ok: false, faults };

  const calendar = { ...rule, ...bounds };
  const afterMs = input.nowMs === undefined ? Number.MIN_SAFE_INTEGER : input.nowMs - 1;
  if (nextAfter(calendar, afterMs) === null) return { ok: false, faults: [neverFires(calendar)] };
  return { ok: true, calendar };
}

function buildRule(input: CalendarInput, bounds: Bounds, faults: CalendarFault[]): Calendar | undefined {
  const given = [
    ...(typeof input.cron === 'string' ? (['cron'] as const) : []),
    ...(typeof input.everyMs === 'number' ? (['every'] as const) : []),
    ...(typeof input.atMs === 'number' ? (['at'] as const) : []),
  ];
  if (given.length !== 1) {
    faults.push({ field: given[1] ?? 'cron', reason: 'Exactly one of cron, every and at is needed.' });
    return undefined;
  }
  if (typeof input.cron === 'string') return buildCron(input.cron, input.timezone, faults);
  if (typeof input.atMs === 'number') return { atMs: Math.ceil(input.atMs / 1000) * 1000 };

  const everyMs = Number(input.everyMs);
  const reason = findIntervalFault(everyMs);
  if (reason !== null) faults.push({ field: 'every', reason });
  return { everyMs, anchorMs: bounds.startAtMs ?? 0 };
}

function buildCron(
  text: string,
  timezone: string,
  faults: CalendarFault[],
): { cron: CronSpec; timezone: string } | undefined {
  const parsed = parseCron(text);
  if (parsed.ok) return { cron: parsed.cron, timezone };
  faults.push({ field: 'cron', reason: parsed.reason, position: parsed.position });
  return undefined;
}

function findTimeFaults({ nowMs, ...times }: CalendarInput): CalendarFault[] {
  const faults: CalendarFault[] = [];
  const { atMs, startAtMs, endAtMs } = times;
  if (typeof startAtMs === 'number' && typeof endAtMs === 'number' && endAtMs < startAtMs) {
    faults.push({ field: 'endAt', reason: 'The schedule would end before it starts.' });
  }
  if (nowMs === undefined) return faults;
  if (typeof atMs === 'number' && atMs < nowMs) faults.push({ field: 'at', reason: 'This time is in the past.' });
  return [...faults, ...findFarTimes(times, nowMs)];
}

function findFarTimes({ atMs, endAtMs }: Times, nowMs: number): CalendarFault[] {
  const latest = new Date(nowMs);
  latest.setUTCFullYear(latest.getUTCFullYear() + MAX_YEARS_AHEAD);
  const isFar = (ms: number | null | undefined): boolean => typeof ms === 'number' && ms > latest.getTime();
  const reason = `This time is more than ${MAX_YEARS_AHEAD} years ahead.`;
  return [
    ...(isFar(atMs) ? [{ field: 'at' as const, reason }] : []),
    ...(isFar(endAtMs) ? [{ field: 'endAt' as const, reason }] : []),
  ];
}

function neverFires(calendar: Calendar): CalendarFault {
  const reason = 'The schedule would never fire';
  if (calendar.endAtMs !== undefined) return { field: 'endAt', reason: `${reason}: no time of it is left until then.` };
  const field = 'cron' in calendar ? 'cron' : 'atMs' in calendar ? 'at' : 'every';
  return { field, reason: `${reason}.` };
}
