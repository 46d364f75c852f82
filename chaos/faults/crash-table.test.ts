// The table of crash points leaves out no failpoint, and plays each as often as it says.
import { expect, test } from 'vitest';

import { FAILPOINTS } from '../../src/failpoint.ts';
import { type Crash, plannedCrashes, POINTS, TIMES } from './crash-table.ts';

const count = (crashes: Crash[], action: string) =>
  crashes.flatMap(({ actions }) => actions).filter((one) => one === action).length;

test('every failpoint is among them', () => {
  expect([...new Set(POINTS.map(({ name }) => name))].sort()).toEqual([...FAILPOINTS].sort());
});

test('a full run comes to each point twenty times, dies, fails and freezes there', () => {
  for (const name of FAILPOINTS) {
    const crashes = plannedCrashes(false, []).filter(({ point }) => point.name === name);
    const [exits = 0, throws = 0, stops = 0] = ['exit', 'throw', 'stop'].map((action) => count(crashes, action));
    expect([name, exits + throws + stops >= TIMES, exits >= 6, stops >= 1]).toEqual([name, true, true, true]);
    expect(throws >= (name === 'attempt.sent' ? 0 : 9)).toBe(true);
  }
});

test('and tries every use of it', () => {
  for (const point of POINTS) {
    const crashes = plannedCrashes(false, []).filter((crash) => crash.point === point);
    expect(new Set(crashes.map(({ scenario }) => scenario))).toEqual(new Set(point.scenarios));
    expect(count(crashes, 'exit')).toBeGreaterThanOrEqual(2);
    expect(count(crashes, 'stop')).toBeGreaterThanOrEqual(point.role === 'start' ? 0 : 1);
  }
});

test('a short run dies once at each point, and fails and freezes at some', () => {
  const crashes = plannedCrashes(true, []);
  expect(count(crashes, 'exit')).toBe(POINTS.length);
  expect(count(crashes, 'throw')).toBe(4);
  expect(count(crashes, 'stop')).toBe(4);
});

test('what is asked for by its whole name is played also where a short run leaves it out', () => {
  const [only, ...more] = plannedCrashes(true, ['worker:attempt.recorded@retried:exit']);
  expect([only?.scenario, only?.actions, more]).toEqual(['retried', ['exit'], []]);
  expect(plannedCrashes(true, ['nowhere'])).toEqual([]);
});
