// The evaluator against a plain oracle that reads the wall clock of Intl minute by minute and second by second.
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseCron } from './cron.ts';
import { type Calendar, isNominal, nextAfter, previousAtOrBefore, timesBetween } from './evaluator.ts';

const ZONES = [
  'UTC',
  'Europe/Paris',
  'Europe/London',
  'Europe/Dublin',
  'America/New_York',
  'America/Santiago',
  'America/Nuuk',
  'America/St_Johns',
  'America/Havana',
  'Australia/Lord_Howe',
  'Asia/Jerusalem',
  'Asia/Beirut',
  'Asia/Kolkata',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Antarctica/Troll',
  'Pacific/Chatham',
  'Pacific/Apia',
] as const;

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const FIRST_DAY_MS = Date.UTC(2024, 0, 1);
const DAYS = 8 * 365;

interface Wall {
  second: number;
  minute: number;
  hour: number;
  day: number;
  month: number;
  weekday: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function readWall(timezone: string, ms: number): Wall {
  let format = formats.get(timezone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      weekday: 'short',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timezone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  return {
    second: Number(parts.second),
    minute: Number(parts.minute),
    hour: Number(parts.hour),
    day: Number(parts.day),
    month: Number(parts.month),
    weekday: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(parts.weekday as string),
  };
}

/** A cron text made together with the values it means, so that the parser is judged as well. */
interface Sample {
  text: string;
  fields: { text: string; values: Set<number> }[];
}

function matches({ fields }: Sample, wall: Wall): boolean {
  const [second, minute, hour, day, month, weekday] = fields as [F, F, F, F, F, F];
  const byDay = day.values.has(wall.day);
  const byWeekday = weekday.values.has(wall.weekday);
  const both = day.text.startsWith('*') || weekday.text.startsWith('*');
  return (
    second.values.has(wall.second) &&
    minute.values.has(wall.minute) &&
    hour.values.has(wall.hour) &&
    month.values.has(wall.month) &&
    (both ? byDay && byWeekday : byDay || byWeekday)
  );
}
type F = Sample['fields'][number];

function stepped(start: number, end: number, step: number): number[] {
  const values: number[] = [];
  for (let value = start; value <= end; value += step) values.push(value);
  return values;
}

function fieldArbitrary(min: number, max: number, starWeight: number): fc.Arbitrary<F> {
  const value = fc.integer({ min, max });
  const range = fc.tuple(value, value).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  const item = fc.oneof(
    value.map((number) => ({ text: `${number}`, values: [number] })),
    range.map(([start, end]) => ({ text: `${start}-${end}`, values: stepped(start, end, 1) })),
    fc.tuple(range, fc.integer({ min: 1, max: 59 })).map(([[start, end], wish]) => {
      const step = Math.min(wish, Math.max(1, end - start));
      return { text: `${start}-${end}/${step}`, values: stepped(start, end, step) };
    }),
    fc.integer({ min: 1, max: max - min }).map((step) => ({ text: `*/${step}`, values: stepped(min, max, step) })),
  );
  const list = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => ({
    text: items.map(({ text }) => text).join(','),
    values: new Set(items.flatMap(({ values }) => values)),
  }));
  const star = fc.constant({ text: '*', values: new Set(stepped(min, max, 1)) });
  return fc.oneof({ arbitrary: star, weight: starWeight }, { arbitrary: list, weight: 2 });
}

function cronArbitrary(second: fc.Arbitrary<F>): fc.Arbitrary<Sample> {
  const fields = [
    second,
    fieldArbitrary(0, 59, 2),
    fieldArbitrary(0, 23, 3),
    fieldArbitrary(1, 31, 5),
    fieldArbitrary(1, 12, 9),
    fieldArbitrary(0, 6, 5),
  ];
  return fc.tuple(...fields).map((parts) => ({ text: parts.map(({ text }) => text).join(' '), fields: parts }));
}

const secondZero = fc.constant({ text: '0', values: new Set([0]) });
const minuteCron = cronArbitrary(secondZero);
const secondCron = cronArbitrary(fieldArbitrary(0, 59, 3));

/** The instants, to the quarter of an hour, at which the wall clock jumped. */
function findJumps(timezone: string): number[] {
  const minuteOfDay = (ms: number): number => {
    const wall = readWall(timezone, ms);
    return wall.hour * 60 + wall.minute;
  };
  const jumps: number[] = [];
  for (let dayMs = FIRST_DAY_MS; dayMs < FIRST_DAY_MS + DAYS * DAY_MS; dayMs += DAY_MS) {
    if (minuteOfDay(dayMs) === minuteOfDay(dayMs + DAY_MS)) continue;
    let ms = dayMs + 15 * MINUTE_MS;
    while ((minuteOfDay(ms) - minuteOfDay(ms - 15 * MINUTE_MS) + 1440) % 1440 === 15) ms += 15 * MINUTE_MS;
    jumps.push(ms);
  }
  return jumps;
}

const jumpsOf = new Map(ZONES.map((zone) => [zone, findJumps(zone)]));

/** A zone and an instant; where the zone's clocks change, mostly the very instant at which they do. */
const placeArbitrary = fc.constantFrom(...ZONES).chain((timezone) => {
  const anywhere = fc.integer({ min: 0, max: DAYS * 96 }).map((quarter) => FIRST_DAY_MS + quarter * 15 * MINUTE_MS);
  const jumps = jumpsOf.get(timezone) as number[];
  const middleMs =
    jumps.length === 0 ? anywhere : fc.oneof({ arbitrary: fc.constantFrom(...jumps), weight: 3 }, anywhere);
  return fc.record({ timezone: fc.constant(timezone), middleMs });
});

function calendarOf(sample: Sample, timezone: string): Calendar | null {
  const parsed = parseCron(sample.text);
  if (!parsed.ok && parsed.code === 'syntax') throw new Error(`${sample.text}: ${parsed.reason}`);
  return parsed.ok ? { cron: parsed.cron, timezone } : null;
}

function agree(sample: Sample, timezone: string, fromMs: number, toMs: number, stepMs: number): void {
  const expected: number[] = [];
  for (let ms = fromMs; ms < toMs; ms += stepMs) if (matches(sample, readWall(timezone, ms))) expected.push(ms);

  const calendar = calendarOf(sample, timezone);
  if (!calendar) {
    expect(expected).toEqual([]);
    return;
  }
  expect(timesBetween(calendar, fromMs, toMs, Infinity)).toEqual(expected);
  const [first, last] = [expected[0], expected.at(-1)];
  if (first === undefined || last === undefined) return;
  expect(nextAfter(calendar, fromMs - 1)).toBe(first);
  expect(previousAtOrBefore(calendar, toMs - 1)).toBe(last);
  expect(isNominal(calendar, last)).toBe(true);
  expect(isNominal(calendar, last + stepMs)).toBe(matches(sample, readWall(timezone, last + stepMs)));
}

test('the zones under test do change their clocks', () => {
  expect(ZONES.filter((zone) => jumpsOf.get(zone)?.length === 0)).toEqual(['UTC', 'Asia/Kolkata', 'Pacific/Apia']);
});

test('agrees with the wall clock minute by minute, clock changes included', () => {
  fc.assert(
    fc.property(minuteCron, placeArbitrary, (sample, { timezone, middleMs }) => {
      agree(sample, timezone, middleMs - DAY_MS / 3, middleMs + DAY_MS / 3, MINUTE_MS);
    }),
    { numRuns: 250 },
  );
});

test('agrees with the wall clock second by second around a clock change', () => {
  fc.assert(
    fc.property(secondCron, placeArbitrary, (sample, { timezone, middleMs }) => {
      agree(sample, timezone, middleMs - 10 * MINUTE_MS, middleMs + 10 * MINUTE_MS, SECOND_MS);
    }),
    { numRuns: 250 },
  );
});

test('agrees with the wall clock over every minute of two months around a half-hour clock change', () => {
  const timezone = 'Australia/Lord_Howe';
  const [fromMs, toMs] = [Date.UTC(2026, 8, 1), Date.UTC(2026, 10, 1)];
  const walls: Wall[] = [];
  for (let ms = fromMs; ms < toMs; ms += MINUTE_MS) walls.push(readWall(timezone, ms));
  fc.assert(
    fc.property(minuteCron, (sample) => {
      const calendar = calendarOf(sample, timezone);
      const expected = walls.flatMap((wall, index) => (matches(sample, wall) ? [fromMs + index * MINUTE_MS] : []));
      const times = calendar ? timesBetween(calendar, fromMs, toMs, Infinity) : [];
      // Compared by hand: a matcher over so many numbers is slow.
      expect(times.length).toBe(expected.length);
      expect(times.findIndex((time, index) => time !== expected[index])).toBe(-1);
    }),
    { numRuns: 15 },
  );
});
