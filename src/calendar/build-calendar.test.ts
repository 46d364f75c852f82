// The schedule fields of a caller: what becomes a calendar and which field is blamed.
import { describe, expect, test } from 'vitest';

import { buildCalendar, type CalendarInput } from './build-calendar.ts';

const nowMs = Date.parse('2026-06-01T00:00:00Z');
const dayMs = 86_400_000;

describe('good fields', () => {
  test('a cron with bounds', () => {
    const input = { cron: '@daily', timezone: 'Europe/Paris', startAtMs: nowMs + 1, endAtMs: nowMs + dayMs + 1, nowMs };
    expect(buildCalendar(input)).toMatchObject({
      ok: true,
      calendar: { timezone: 'Europe/Paris', startAtMs: nowMs + 1000, endAtMs: nowMs + dayMs },
    });
  });

  test('an interval is anchored to its start, else to the epoch', () => {
    const everyMs = 7000;
    const startAtMs = nowMs + 3000;
    expect(buildCalendar({ everyMs, timezone: 'UTC', startAtMs })).toEqual({
      ok: true,
      calendar: { everyMs, anchorMs: startAtMs, startAtMs },
    });
    expect(buildCalendar({ everyMs, timezone: 'UTC', startAtMs: null })).toEqual({
      ok: true,
      calendar: { everyMs, anchorMs: 0 },
    });
  });

  test('a single time is rounded up to a whole second, so that it is never early', () => {
    expect(buildCalendar({ atMs: nowMs + 1, timezone: 'UTC', nowMs })).toEqual({
      ok: true,
      calendar: { atMs: nowMs + 1000 },
    });
  });

  test('a stored time that is over can still be read', () => {
    expect(buildCalendar({ atMs: nowMs - dayMs, timezone: 'UTC' })).toMatchObject({ ok: true });
  });
});

test.each<[string, Partial<CalendarInput>, string]>([
  ['neither cron nor every nor at', {}, 'cron'],
  ['two of them', { cron: '@daily', everyMs: 1000 }, 'every'],
  ['a bad cron', { cron: '60 * * * *' }, 'cron'],
  ['an empty cron', { cron: '' }, 'cron'],
  ['30 February', { cron: '0 0 30 2 *' }, 'cron'],
  ['an interval of nothing', { everyMs: 0 }, 'every'],
  ['a negative interval', { everyMs: -300_000 }, 'every'],
  ['an interval with a fraction', { everyMs: 1500 }, 'every'],
  ['an interval that is not a number', { everyMs: NaN }, 'every'],
  ['an interval longer than the calendar', { everyMs: 9_000_000_000_000_000 }, 'every'],
  ['a time in the past', { atMs: nowMs - 1 }, 'at'],
  ['a time eleven years ahead', { atMs: nowMs + 11 * 366 * dayMs }, 'at'],
  ['an end eleven years ahead', { cron: '@daily', endAtMs: nowMs + 11 * 366 * dayMs }, 'endAt'],
  ['an end before the start', { cron: '@daily', startAtMs: nowMs + dayMs, endAtMs: nowMs }, 'endAt'],
  ['an end in the past', { cron: '@daily', endAtMs: nowMs - dayMs }, 'endAt'],
  ['no time between start and end', { cron: '@yearly', startAtMs: nowMs, endAtMs: nowMs + dayMs }, 'endAt'],
  ['an unknown zone', { cron: '@daily', timezone: 'Mars/Olympus' }, 'timezone'],
  ['a path as zone', { everyMs: 1000, timezone: '../../etc/passwd' }, 'timezone'],
])('%s is refused by name of the field', (_, input, field) => {
  const result = buildCalendar({ timezone: 'UTC', nowMs, ...input });
  expect(result).toMatchObject({ ok: false, faults: [{ field }] });
});

test('all faults are named at once, the cron with its position', () => {
  const result = buildCalendar({ cron: '* 24 * * *', timezone: 'X', startAtMs: 2000, endAtMs: 1000 });
  expect(result).toMatchObject({
    ok: false,
    faults: [{ field: 'timezone' }, { field: 'endAt' }, { field: 'cron', position: 2 }],
  });
});
