// Answers when a schedule is due: the law by which every nominal time is judged, whatever woke us.
//
// Daylight saving: a cron matches what the clock on the wall shows, so a local time that does not exist is skipped and
// one that comes twice is due at both instants. Intervals do not look at clocks.
import type { CronSpec } from './cron.ts';
import { type Interval, nextIntervalTime } from './interval.ts';
import { nextWallSecond } from './wall-clock.ts';
import { spanAt } from './zone.ts';

/** Both bounds are inclusive, as in Temporal, and whole seconds. */
export interface Bounds {
  startAtMs?: number;
  endAtMs?: number;
}

export interface CronCalendar {
  cron: CronSpec;
  timezone: string;
}

export type Calendar = (CronCalendar | Interval | { atMs: number }) & Bounds;

const SECOND_MS = 1000;
// Temporal's calendars know the years 2000 to 2100 only; nothing is due outside of them.
export const FIRST_TIME_MS = Date.UTC(2000, 0, 1);
export const END_OF_TIMES_MS = Date.UTC(2101, 0, 1);

/** The first nominal time strictly after `afterMs`. */
export function nextAfter(calendar: Calendar, afterMs: number): number | null {
  return firstBetween(calendar, afterMs + 1, END_OF_TIMES_MS);
}

/** The nominal times from `fromMs` on and before `toMs`, at most `limit` of them. */
export function timesBetween(calendar: Calendar, fromMs: number, toMs: number, limit: number): number[] {
  const times: number[] = [];
  let time = firstBetween(calendar, fromMs, toMs);
  while (time !== null && times.length < limit) {
    times.push(time);
    time = firstBetween(calendar, time + SECOND_MS, toMs);
  }
  return times;
}

export function isNominal(calendar: Calendar, ms: number): boolean {
  return firstBetween(calendar, ms, ms + 1) === ms;
}

/** The last nominal time that is not after `ms`. */
export function previousAtOrBefore(calendar: Calendar, ms: number): number | null {
  const endMs = Math.min(ms + 1, END_OF_TIMES_MS);
  let fromMs = endMs;
  for (let lookbackMs = 60 * SECOND_MS; fromMs > FIRST_TIME_MS; lookbackMs *= 4) {
    const untilMs = fromMs;
    fromMs = Math.max(FIRST_TIME_MS, endMs - lookbackMs);
    const found = firstBetween(calendar, fromMs, untilMs);
    if (found !== null) return lastBetween(calendar, found, untilMs);
  }
  return null;
}

/** Bisects for the latest start from which a time can still be reached; `foundMs` is such a time itself. */
function lastBetween(calendar: Calendar, foundMs: number, untilMs: number): number {
  let lastMs = foundMs;
  let highMs = untilMs;
  while (highMs - lastMs > SECOND_MS) {
    const middleMs = lastMs + Math.ceil((highMs - lastMs) / 2);
    const time = firstBetween(calendar, middleMs, untilMs);
    if (time === null) highMs = middleMs;
    else lastMs = time;
  }
  return lastMs;
}

/** The first nominal time in [fromMs, untilMs). */
function firstBetween(calendar: Calendar, fromMs: number, untilMs: number): number | null {
  const from = Math.max(Math.ceil(fromMs / SECOND_MS) * SECOND_MS, calendar.startAtMs ?? FIRST_TIME_MS, FIRST_TIME_MS);
  const until = Math.min(untilMs, (calendar.endAtMs ?? END_OF_TIMES_MS) + 1, END_OF_TIMES_MS);
  if (from >= until) return null;
  if ('cron' in calendar) return firstCronTime(calendar, from, until);
  const time = 'everyMs' in calendar ? nextIntervalTime(calendar, from) : calendar.atMs;
  return time >= from && time < until ? time : null;
}

/** Within a span of constant offset the wall clock runs evenly, so each span is plain arithmetic. */
function firstCronTime({ cron, timezone }: CronCalendar, fromMs: number, untilMs: number): number | null {
  const until = Math.ceil(untilMs / SECOND_MS);
  let second = fromMs / SECOND_MS;
  while (second < until) {
    const { to, offset } = spanAt(timezone, second);
    const wallSecond = nextWallSecond(cron, second + offset, Math.min(to, until) + offset);
    if (wallSecond !== null) return (wallSecond - offset) * SECOND_MS;
    second = to;
  }
  return null;
}
