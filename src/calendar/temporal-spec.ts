// A calendar as Temporal's structured schedule spec. Never a cron string: Temporal reads six fields as year-last.
import { type Bounds, type Calendar, type CronCalendar } from './evaluator.ts';
import { intervalOffsetMs } from './interval.ts';

const MONTHS = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
  'NOVEMBER',
  'DECEMBER',
] as const;
const DAYS_OF_WEEK = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const;

interface Range<Unit> {
  start: Unit;
  end: Unit;
  step: number;
}

export interface TemporalCalendar {
  second: Range<number>[];
  minute: Range<number>[];
  hour: Range<number>[];
  dayOfMonth: Range<number>[];
  month: Range<(typeof MONTHS)[number]>[];
  dayOfWeek: Range<(typeof DAYS_OF_WEEK)[number]>[];
  year?: number;
}

/** Assignable to `ScheduleSpec` of the Temporal client. */
export interface TemporalScheduleSpec {
  calendars?: TemporalCalendar[];
  intervals?: { every: number; offset: number }[];
  timezone: string;
  startAt?: Date;
  endAt?: Date;
  jitter?: number;
}

export function compileTemporalSpec(calendar: Calendar, { jitterMs = 0 } = {}): TemporalScheduleSpec {
  return { ...compileTimes(calendar), ...compileBounds(calendar), ...(jitterMs > 0 && { jitter: jitterMs }) };
}

function compileTimes(calendar: Calendar): TemporalScheduleSpec {
  if ('cron' in calendar) return { calendars: compileCron(calendar), timezone: calendar.timezone };
  if ('atMs' in calendar) return { calendars: [compileInstant(calendar.atMs)], timezone: 'UTC' };
  return { intervals: [{ every: calendar.everyMs, offset: intervalOffsetMs(calendar) }], timezone: 'UTC' };
}

/** Temporal wants every field to match, so "either day field" becomes two calendars. */
function compileCron({ cron }: CronCalendar): TemporalCalendar[] {
  const whole = {
    second: toRanges(cron.second),
    minute: toRanges(cron.minute),
    hour: toRanges(cron.hour),
    month: toNamedRanges(cron.month, (month) => MONTHS[month - 1] as (typeof MONTHS)[number]),
  };
  const dayOfMonth = toRanges(cron.dayOfMonth);
  const dayOfWeek = toNamedRanges(cron.dayOfWeek, dayName);
  if (cron.days === 'both') return [{ ...whole, dayOfMonth, dayOfWeek }];
  return [
    { ...whole, dayOfMonth, dayOfWeek: [{ start: 'SUNDAY', end: 'SATURDAY', step: 1 }] },
    { ...whole, dayOfMonth: [{ start: 1, end: 31, step: 1 }], dayOfWeek },
  ];
}

function compileInstant(atMs: number): TemporalCalendar {
  const date = new Date(atMs);
  return {
    second: toRanges([date.getUTCSeconds()]),
    minute: toRanges([date.getUTCMinutes()]),
    hour: toRanges([date.getUTCHours()]),
    dayOfMonth: toRanges([date.getUTCDate()]),
    month: toNamedRanges([date.getUTCMonth()], (month) => MONTHS[month] as (typeof MONTHS)[number]),
    dayOfWeek: [{ start: 'SUNDAY', end: 'SATURDAY', step: 1 }],
    year: date.getUTCFullYear(),
  };
}

function compileBounds({ startAtMs, endAtMs }: Bounds): Pick<TemporalScheduleSpec, 'startAt' | 'endAt'> {
  return {
    ...(startAtMs !== undefined && { startAt: new Date(startAtMs) }),
    ...(endAtMs !== undefined && { endAt: new Date(endAtMs) }),
  };
}

/** Sorted values as few evenly stepped ranges: 0, 15, 30, 45 is one of them. */
function toRanges(values: number[]): Range<number>[] {
  const ranges: Range<number>[] = [];
  for (const value of values) {
    const last = ranges.at(-1);
    if (last && last.start === last.end) {
      last.step = value - last.end;
      last.end = value;
    } else if (last && value - last.end === last.step) {
      last.end = value;
    } else {
      ranges.push({ start: value, end: value, step: 1 });
    }
  }
  return ranges;
}

function toNamedRanges<Name>(values: number[], nameOf: (value: number) => Name): Range<Name>[] {
  return toRanges(values).map(({ start, end, step }) => ({ start: nameOf(start), end: nameOf(end), step }));
}

function dayName(day: number): (typeof DAYS_OF_WEEK)[number] {
  return DAYS_OF_WEEK[day] as (typeof DAYS_OF_WEEK)[number];
}
