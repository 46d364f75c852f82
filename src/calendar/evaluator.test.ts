// When schedules are due: daylight-saving days in full, intervals, bounds and speed.
import { describe, expect, test } from 'vitest';

import { parseCron } from './cron.ts';
import { type Bounds, type Calendar, isNominal, nextAfter, previousAtOrBefore, timesBetween } from './evaluator.ts';
import { formatInZone, nominalText } from './format.ts';

function cronIn(timezone: string, text: string, bounds: Bounds = {}): Calendar {
  const parsed = parseCron(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return { cron: parsed.cron, timezone, ...bounds };
}

const utc = (text: string): number => Date.parse(text);
const textsOf = (times: number[]): string[] => times.map(nominalText);

describe('on a daylight-saving day', () => {
  test.each<[string, string, string, string[]]>([
    ['Europe/Paris', '30 2 * * *', '2026-03-28T12:00Z', ['03-30T02:30:00+02:00']],
    ['Europe/Paris', '30 2 * * *', '2026-10-24T12:00Z', ['10-25T02:30:00+02:00', '10-25T02:30:00+01:00']],
    ['Europe/Paris', '45 1 * * *', '2026-10-24T12:00Z', ['10-25T01:45:00+02:00', '10-26T01:45:00+01:00']],
    ['Europe/Paris', '0 3 29 3 *', '2026-03-28T12:00Z', ['03-29T03:00:00+02:00']],
    [
      'Europe/Paris',
      '0 * * * *',
      '2026-10-24T23:30Z',
      ['10-25T02:00:00+02:00', '10-25T02:00:00+01:00', '10-25T03:00:00+01:00'],
    ],
    ['America/New_York', '30 2 * * *', '2026-03-07T12:00Z', ['03-09T02:30:00-04:00']],
    ['America/New_York', '30 1 * * *', '2026-10-31T12:00Z', ['11-01T01:30:00-04:00', '11-01T01:30:00-05:00']],
    ['Australia/Lord_Howe', '15 2 * * *', '2026-10-03T12:00Z', ['10-05T02:15:00+11:00']],
    ['Australia/Lord_Howe', '30 2 * * *', '2026-10-03T12:00Z', ['10-04T02:30:00+11:00']],
    ['Australia/Lord_Howe', '45 1 * * *', '2026-04-04T12:00Z', ['04-05T01:45:00+11:00', '04-05T01:45:00+10:30']],
    ['Australia/Lord_Howe', '15 1 * * *', '2026-04-04T12:00Z', ['04-05T01:15:00+11:00', '04-06T01:15:00+10:30']],
    ['Asia/Jerusalem', '30 2 * * *', '2026-03-26T12:00Z', ['03-28T02:30:00+03:00']],
    ['Asia/Jerusalem', '30 1 * * *', '2026-10-24T12:00Z', ['10-25T01:30:00+03:00', '10-25T01:30:00+02:00']],
    ['America/Santiago', '@daily', '2026-09-05T12:00Z', ['09-07T00:00:00-03:00']],
    ['America/Santiago', '30 23 * * *', '2026-04-04T12:00Z', ['04-04T23:30:00-03:00', '04-04T23:30:00-04:00']],
    ['Africa/Casablanca', '30 2 * * *', '2026-02-14T12:00Z', ['02-15T02:30:00+01:00', '02-15T02:30:00+00:00']],
    ['Africa/Casablanca', '30 2 * * *', '2026-03-21T12:00Z', ['03-23T02:30:00+01:00']],
    ['Antarctica/Troll', '30 1,2 * * *', '2026-03-28T12:00Z', ['03-30T01:30:00+02:00', '03-30T02:30:00+02:00']],
    [
      'Antarctica/Troll',
      '30 1,2 * * *',
      '2026-10-24T12:00Z',
      ['10-25T01:30:00+02:00', '10-25T02:30:00+02:00', '10-25T01:30:00+00:00', '10-25T02:30:00+00:00'],
    ],
    ['America/Nuuk', '30 23 * * *', '2026-03-28T12:00Z', ['03-29T23:30:00-01:00']],
    ['America/Nuuk', '30 23 * * *', '2026-10-24T12:00Z', ['10-24T23:30:00-01:00', '10-24T23:30:00-02:00']],
  ])('%s, %s from %s', (timezone, cron, from, expected) => {
    const times = timesBetween(cronIn(timezone, cron), utc(from), utc('2027-01-01T00:00Z'), expected.length);
    expect(times.map((time) => formatInZone(time, timezone))).toEqual(expected.map((text) => `2026-${text}`));
  });

  test('a day that does not exist at all is skipped', () => {
    const calendar = cronIn('Pacific/Apia', '0 12 * * *');
    const times = timesBetween(calendar, utc('2011-12-29T00:00Z'), utc('2012-01-01T00:00Z'), 10);
    expect(times.map((time) => formatInZone(time, 'Pacific/Apia'))).toEqual([
      '2011-12-29T12:00:00-10:00',
      '2011-12-31T12:00:00+14:00',
      '2012-01-01T12:00:00+14:00',
    ]);
  });
});

test('29 February is found across the years', () => {
  const calendar = cronIn('Europe/Paris', '0 12 29 2 *');
  expect(nominalText(nextAfter(calendar, utc('2026-01-01T00:00Z')) as number)).toBe('2028-02-29T11:00:00Z');

  const onWeekend = cronIn('UTC', '0 0 29 2 */6');
  expect(nominalText(nextAfter(onWeekend, utc('2026-01-01T00:00Z')) as number)).toBe('2032-02-29T00:00:00Z');
});

test('nothing is due before 2000 or after 2100, where Temporal knows no calendar', () => {
  const calendar = cronIn('UTC', '@yearly');
  expect(nominalText(nextAfter(calendar, utc('1970-01-01T00:00Z')) as number)).toBe('2000-01-01T00:00:00Z');
  expect(nextAfter(calendar, utc('2100-01-01T00:00Z'))).toBeNull();
  expect(previousAtOrBefore(calendar, utc('1999-12-31T00:00Z'))).toBeNull();
});

test('Friday or the 13th, whichever comes', () => {
  const calendar = cronIn('UTC', '0 0 13 * FRI');
  expect(textsOf(timesBetween(calendar, utc('2026-10-08T00:00Z'), utc('2026-10-20T00:00Z'), 9))).toEqual([
    '2026-10-09T00:00:00Z',
    '2026-10-13T00:00:00Z',
    '2026-10-16T00:00:00Z',
  ]);
});

describe('an interval', () => {
  test('counts from its anchor, straight through daylight saving', () => {
    const calendar = { everyMs: 45 * 60_000, anchorMs: utc('2026-01-01T00:10:00Z') };
    expect(textsOf(timesBetween(calendar, utc('2026-01-01T00:10:00Z'), utc('2026-01-01T02:25:00Z'), 9))).toEqual([
      '2026-01-01T00:10:00Z',
      '2026-01-01T00:55:00Z',
      '2026-01-01T01:40:00Z',
    ]);
    expect(nominalText(previousAtOrBefore(calendar, utc('2026-01-01T00:00:00Z')) as number)).toBe(
      '2025-12-31T23:25:00Z',
    );
  });
});

describe('the bounds', () => {
  const bounds = { startAtMs: utc('2026-05-01T10:00:00Z'), endAtMs: utc('2026-05-01T12:00:00Z') };

  test.each([
    ['cron', cronIn('UTC', '@hourly', bounds)],
    ['interval', { everyMs: 3_600_000, anchorMs: 0, ...bounds }],
  ])('of a %s are inclusive', (_, calendar) => {
    expect(textsOf(timesBetween(calendar, 0, utc('2030-01-01T00:00Z'), 9))).toEqual([
      '2026-05-01T10:00:00Z',
      '2026-05-01T11:00:00Z',
      '2026-05-01T12:00:00Z',
    ]);
    expect(nextAfter(calendar, bounds.endAtMs)).toBeNull();
    expect(previousAtOrBefore(calendar, bounds.startAtMs - 1)).toBeNull();
    expect(previousAtOrBefore(calendar, utc('2029-01-01T00:00Z'))).toBe(bounds.endAtMs);
    expect(isNominal(calendar, utc('2026-05-01T09:00:00Z'))).toBe(false);
  });

  test('of a question are inclusive from, exclusive to, strictly after', () => {
    const calendar = cronIn('UTC', '@hourly');
    const [from, to] = [utc('2026-05-01T10:00:00Z'), utc('2026-05-01T11:00:00Z')];
    expect(timesBetween(calendar, from, to, 9)).toEqual([from]);
    expect(timesBetween(calendar, from, to, 0)).toEqual([]);
    expect(nextAfter(calendar, from)).toBe(to);
    expect(nextAfter(calendar, to - 1)).toBe(to);
    expect(previousAtOrBefore(calendar, to)).toBe(to);
    expect(previousAtOrBefore(calendar, to - 1)).toBe(from);
  });
});

test('a single time is due once', () => {
  const atMs = utc('2026-05-01T10:00:00Z');
  expect(nextAfter({ atMs }, atMs - 1)).toBe(atMs);
  expect(nextAfter({ atMs }, atMs)).toBeNull();
  expect(previousAtOrBefore({ atMs }, atMs - 1)).toBeNull();
  expect(previousAtOrBefore({ atMs }, atMs + 86_400_000 * 900)).toBe(atMs);
});

test('only whole seconds are nominal', () => {
  const calendar = cronIn('UTC', '* * * * * *');
  expect(isNominal(calendar, utc('2026-05-01T10:00:01Z'))).toBe(true);
  expect(isNominal(calendar, utc('2026-05-01T10:00:01.001Z'))).toBe(false);
});

test('previews of a thousand seconds take less than 50 ms', () => {
  const calendar = cronIn('Europe/Paris', '* * * * * *');
  const from = utc('2026-10-25T00:50:00Z');
  const durations = Array.from({ length: 5 }, () => {
    const startedAt = performance.now();
    expect(timesBetween(calendar, from, from + 86_400_000, 1000)).toHaveLength(1000);
    return performance.now() - startedAt;
  });
  expect(Math.min(...durations)).toBeLessThan(50);
});
