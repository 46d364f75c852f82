// Which time zone names are taken, and that offsets change at the exact second.
import { describe, expect, test } from 'vitest';

import { isValidTimezone, offsetSecondsAt, spanAt } from './zone.ts';

describe('a time zone name', () => {
  test.each([
    'UTC',
    'Etc/UTC',
    'Etc/GMT+5',
    'Etc/GMT-14',
    'GMT',
    'EST5EDT',
    'NZ-CHAT',
    'Europe/Paris',
    'Europe/Kiev',
    'Europe/Kyiv',
    'Asia/Calcutta',
    'Asia/Kolkata',
    'America/Argentina/Buenos_Aires',
    'America/North_Dakota/New_Salem',
    'America/Port-au-Prince',
    'Antarctica/DumontDUrville',
    'US/Pacific',
  ])('%s is taken', (name) => {
    expect(isValidTimezone(name)).toBe(true);
  });

  test('every name Intl lists is taken', () => {
    expect(Intl.supportedValuesOf('timeZone').filter((name) => !isValidTimezone(name))).toEqual([]);
  });

  test.each([
    '',
    ' ',
    'Local',
    'local',
    'Z',
    '+02:00',
    '-0500',
    '02:00',
    'UTC+2',
    'GMT+2',
    'Etc/GMT+15',
    'CEST',
    'PST',
    'IST',
    'Mars/Olympus',
    'Europe/Atlantis',
    'Europe',
    'Europe/',
    '/Europe/Paris',
    'Europe//Paris',
    'Europe/Paris/',
    ' Europe/Paris',
    'Europe/Paris ',
    'Europe/Paris\n',
    'Europe\\Paris',
    '../../etc/passwd',
    '/etc/localtime',
    'Etc/../UTC',
    'posix/Europe/Paris',
    'europe/paris',
    'EUROPE/PARIS',
    'utc',
    'asia/Kolkata',
    'Asia/KOLKATA',
    'SystemV/PST8',
    'Factory',
    'Etc/Unknown',
    'Europe/Paris\0',
    'Évian/Paris',
    `Europe/${'x'.repeat(5000)}`,
  ])('%j is refused', (name) => {
    expect(isValidTimezone(name)).toBe(false);
  });
});

test.each([
  ['Europe/Paris', '2026-03-29T01:00:00Z', 3600, 7200],
  ['America/New_York', '2026-11-01T06:00:00Z', -14400, -18000],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z', 39600, 37800],
  ['Antarctica/Troll', '2026-03-29T01:00:00Z', 0, 7200],
  ['America/Santiago', '2026-09-06T04:00:00Z', -14400, -10800],
  ['Pacific/Apia', '2011-12-30T10:00:00Z', -36000, 50400],
])('%s changes its offset at %s, to the second', (timezone, instant, before, after) => {
  const ms = Date.parse(instant);
  expect([offsetSecondsAt(timezone, ms - 1), offsetSecondsAt(timezone, ms)]).toEqual([before, after]);
});

test('the spans of a zone follow each other without gap or overlap', () => {
  let second = Date.UTC(2024, 0, 1) / 1000;
  while (second < Date.UTC(2032, 0, 1) / 1000) {
    const span = spanAt('Africa/Casablanca', second);
    expect(span.from).toBeLessThanOrEqual(second);
    expect(spanAt('Africa/Casablanca', span.to - 1)).toBe(span);
    expect(spanAt('Africa/Casablanca', span.to).from).toBe(span.to);
    second = span.to;
  }
});
