// The table of crash points leaves out no failpoint, and plays each as often as it says.
import { expect, test } from 'vitest';

import { FAILPOINTS } from '../../src/failpoint.ts';
import { type Crash, plannedCrashes, POINTS } from './crash-table.ts';

const count = (crashes: Crash[], action: string) =>
  crashes.flatMap(({ actions }) => actions).filter((one) => one === action).length;

test('every failpoint is among them', () => {
  expect([...new Set(POINTS.map(({ name }) => name))].sort()).toEqual([...FAILPOINTS].sort());
});

test('a full run comes to each point twenty times, dies, fails and freezes there, and tries every use of it', () => {
  for (const point of POINTS) {
    const crashes = plannedCrashes(false, []).filter((crash) => crash.point === point);
    const [exits, throws, stops] = ['exit', 'throw', 'stop'].map((action) => count(crashes, action));
    expect([Number(exits) + Number(throws) + Number(stops), new Set(crashes.map(({ scenario }) => scenario))]).toEqual([
      20,
      new Set(point.scenarios),
    ]);
    expect(exits).toBeGreaterThanOrEqual(6);
    expect(stops).toBe(point.role === 'start' ? 0 : 2);
    const isAlone = point.apiDiesAt !== undefined || point.comesLate === true;
    expect(throws).toBe(point.name === 'attempt.sent' ? 0 : isAlone ? 9 : 12);
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
