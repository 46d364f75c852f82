// The clock of the machine is believed until PostgreSQL's says something else.
import { expect, test } from 'vitest';

import { aheadBy } from './clock.ts';

const sample = (askedAt: number, tookMs: number, serverMs: number) => ({
  askedAt,
  answeredAt: askedAt + tookMs,
  serverMs,
});

test('clocks that agree to within what can be measured are left alone', () => {
  expect(aheadBy([sample(1_000_000, 4, 1_000_002)])).toBe(0);
  expect(aheadBy([sample(1_000_000, 4, 1_000_400)])).toBe(0);
  expect(aheadBy([sample(1_000_000, 3_000, 999_800)])).toBe(0);
});

test('a clock that is wrong is wrong by the fastest answer', () => {
  expect(aheadBy([sample(1_300_000, 800, 1_000_700), sample(1_301_000, 4, 1_001_002)])).toBe(300_002);
  expect(aheadBy([sample(700_000, 4, 1_000_002)])).toBe(-299_998);
});

test('and by so much that, mended, it is never ahead of the other, however long the answer took to come back', () => {
  const [askedAt, serverMs, answeredAt] = [1_300_000, 1_000_001, 1_300_050];
  const ahead = aheadBy([{ askedAt, answeredAt, serverMs }]);
  expect(answeredAt - ahead).toBeLessThanOrEqual(serverMs);
});
