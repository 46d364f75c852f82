// How many are served between two looks at who is at the door, and in which order.
import { setImmediate as nextTurn } from 'node:timers/promises';

import { expect, it } from 'vitest';

import { createShortTurns } from './short-turns.ts';

it('who comes alone is served at once', () => {
  const served: number[] = [];
  createShortTurns(2).soon(() => served.push(1));
  expect(served).toEqual([1]);
});

it('of many, a few are served in each turn, in the order in which they came', async () => {
  const turns = createShortTurns(2);
  const served: number[] = [];
  for (let n = 0; n < 7; n++) turns.soon(() => served.push(n));
  const seen = [served.length];
  while (served.length < 7) {
    await nextTurn();
    seen.push(served.length);
  }
  expect(served).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(seen.every((count, at) => count - (seen[at - 1] ?? 0) <= 2)).toBe(true);
});

it('while others are let in, one is served in each turn', async () => {
  const turns = createShortTurns(5);
  const served: number[] = [];
  for (let n = 0; n < 8; n++) turns.soon(() => served.push(n));
  expect(served).toHaveLength(5);
  turns.letIn();
  await nextTurn();
  expect(served).toHaveLength(6);
  await nextTurn();
  expect(served).toHaveLength(8);
});
