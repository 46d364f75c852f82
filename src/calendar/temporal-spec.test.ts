// What Temporal is told; the types say that its client takes it.
import type { ScheduleSpec } from '@temporalio/client';
import { expect, test } from 'vitest';

import { parseCron } from './cron.ts';
import type { Bounds, Calendar } from './evaluator.ts';
import { compileTemporalSpec } from './temporal-spec.ts';

function cronIn(timezone: string, text: string, bounds: Bounds = {}): Calendar {
  const parsed = parseCron(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return { cron: parsed.cron, timezone, ...bounds };
}

const everyDayOfMonth = [{ start: 1, end: 31, step: 1 }];
const everyMonth = [{ start: 'JANUARY', end: 'DECEMBER', step: 1 }];
const everyDayOfWeek = [{ start: 'SUNDAY', end: 'SATURDAY', step: 1 }];

test('a cron becomes one structured calendar in its zone', () => {
  const spec: ScheduleSpec = compileTemporalSpec(cronIn('Europe/Paris', '*/15 9-17 * * FRI-SUN'));
  expect(spec).toEqual({
    timezone: 'Europe/Paris',
    calendars: [
      {
        second: [{ start: 0, end: 0, step: 1 }],
        minute: [{ start: 0, end: 45, step: 15 }],
        hour: [{ start: 9, end: 17, step: 1 }],
        dayOfMonth: everyDayOfMonth,
        month: everyMonth,
        dayOfWeek: [
          { start: 'SUNDAY', end: 'FRIDAY', step: 5 },
          { start: 'SATURDAY', end: 'SATURDAY', step: 1 },
        ],
      },
    ],
  });
});

test('either of two day fields becomes two calendars', () => {
  const { calendars } = compileTemporalSpec(cronIn('UTC', '0 0 13 * FRI'));
  expect(calendars?.map(({ dayOfMonth, dayOfWeek }) => ({ dayOfMonth, dayOfWeek }))).toEqual([
    { dayOfMonth: [{ start: 13, end: 13, step: 1 }], dayOfWeek: everyDayOfWeek },
    { dayOfMonth: everyDayOfMonth, dayOfWeek: [{ start: 'FRIDAY', end: 'FRIDAY', step: 1 }] },
  ]);
});

test('an interval keeps its anchor as an offset from the epoch', () => {
  const anchorMs = Date.parse('2026-01-01T00:10:00Z');
  expect(compileTemporalSpec({ everyMs: 900_000, anchorMs, startAtMs: anchorMs }, { jitterMs: 5000 })).toEqual({
    timezone: 'UTC',
    intervals: [{ every: 900_000, offset: 600_000 }],
    startAt: new Date(anchorMs),
    jitter: 5000,
  });
});

test('a single time becomes a calendar with its year', () => {
  const spec: ScheduleSpec = compileTemporalSpec({ atMs: Date.parse('2026-12-01T12:34:56Z') });
  expect(spec).toEqual({
    timezone: 'UTC',
    calendars: [
      {
        second: [{ start: 56, end: 56, step: 1 }],
        minute: [{ start: 34, end: 34, step: 1 }],
        hour: [{ start: 12, end: 12, step: 1 }],
        dayOfMonth: [{ start: 1, end: 1, step: 1 }],
        month: [{ start: 'DECEMBER', end: 'DECEMBER', step: 1 }],
        dayOfWeek: everyDayOfWeek,
        year: 2026,
      },
    ],
  });
});

test('the bounds are handed over as they are: inclusive on both sides', () => {
  const bounds = { startAtMs: Date.parse('2026-05-01T10:00:00Z'), endAtMs: Date.parse('2026-05-02T10:00:00Z') };
  expect(compileTemporalSpec(cronIn('UTC', '@hourly', bounds))).toMatchObject({
    startAt: new Date(bounds.startAtMs),
    endAt: new Date(bounds.endAtMs),
  });
});
