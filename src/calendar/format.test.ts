// Nominal times as text.
import { expect, test } from 'vitest';

import { formatInZone, nominalText } from './format.ts';

test('a nominal time is written in whole seconds UTC', () => {
  expect(nominalText(Date.UTC(2026, 11, 1, 12))).toBe('2026-12-01T12:00:00Z');
});

test.each([
  ['2026-10-25T00:30:00Z', 'Europe/Paris', '2026-10-25T02:30:00+02:00'],
  ['2026-10-25T01:30:00Z', 'Europe/Paris', '2026-10-25T02:30:00+01:00'],
  ['2026-12-31T23:00:00Z', 'Asia/Kolkata', '2027-01-01T04:30:00+05:30'],
  ['2026-07-01T00:00:00Z', 'America/St_Johns', '2026-06-30T21:30:00-02:30'],
  ['2026-01-01T00:00:00Z', 'Europe/London', '2026-01-01T00:00:00+00:00'],
  ['2026-01-01T00:00:00Z', 'UTC', '2026-01-01T00:00:00Z'],
  ['2026-01-01T00:00:00Z', 'Etc/UTC', '2026-01-01T00:00:00Z'],
])('%s in %s is %s, which is the same instant', (instant, timezone, expected) => {
  const text = formatInZone(Date.parse(instant), timezone);
  expect(text).toBe(expected);
  expect(Date.parse(text)).toBe(Date.parse(instant));
});
