// Which texts are durations, and how long they are.
import { expect, test } from 'vitest';

import { durationMs } from './duration.ts';

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
  ['PT1H30M', 5_400_000],
  ['P1DT0.5S', 86_400_500],
])('%s is %d ms', (duration, ms) => {
  expect(durationMs(duration)).toBe(ms);
});

test.each(['', '30', 'P', 'PT', 's', '5 m', '-1s'])('"%s" is refused', (duration) => {
  expect(() => durationMs(duration)).toThrow(TypeError);
});
