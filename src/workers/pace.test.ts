// The pace of workflow tasks on a processor that is fast, slow, and fast again.
import { expect, it } from 'vitest';

import { createPace, type Pace } from './pace.ts';

/** A processor that does one task after the other, `eachMs` each; takes as many as the pace allows for `forMs`. */
function createProcessor() {
  let now = 0;
  const pace: Pace = createPace({ least: 5, most: 120, nowMs: () => now });
  let waiting: number[] = [];
  let late = 0;
  return {
    pace,
    late: () => late,
    run(forMs: number, eachMs: number) {
      late = 0;
      for (const endsAt = now + forMs; now < endsAt;) {
        while (waiting.length < pace.limit()) waiting.push(now);
        pace.inWork(waiting.length);
        now += eachMs;
        const takenAt = waiting.shift() ?? now;
        if (now - takenAt > 10_000) late += 1;
        pace.inWork(waiting.length);
        pace.done();
      }
    },
    rest() {
      waiting = [];
      pace.inWork(0);
    },
  };
}

it('a fast processor is given all there may be', () => {
  const processor = createProcessor();
  processor.run(10_000, 2);
  expect(processor.pace.limit()).toBe(120);
  expect(processor.late()).toBe(0);
});

it('a slow one takes no more than it does in time, though it took many before it was slow', () => {
  const processor = createProcessor();
  processor.run(5_000, 5);
  processor.run(30_000, 200);
  processor.run(60_000, 200);
  expect(processor.late()).toBe(0);
  expect(processor.pace.limit()).toBeLessThanOrEqual(20);
});

it('one that is fast again has all there may be within seconds', () => {
  const processor = createProcessor();
  processor.run(60_000, 500);
  expect(processor.pace.limit()).toBe(5);
  processor.run(5_000, 2);
  processor.rest();
  expect(processor.pace.limit()).toBe(120);
});
