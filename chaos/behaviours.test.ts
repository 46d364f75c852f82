import { expect, test } from 'vitest';

import { answersWell } from './behaviours.ts';

test('a target that says no says it to every attempt, so that the end is planned whoever loses an answer', () => {
  for (const nth of [1, 2, 3, 100]) expect(answersWell('tooLarge', nth, 1)).toBe(false);
});

test('a target in trouble answers well after so many calls, a good one always', () => {
  expect([1, 2, 3].map((nth) => answersWell('status503', nth, 2))).toEqual([false, false, true]);
  expect([1, 2, 3].map((nth) => answersWell('slow', nth, 300))).toEqual([true, true, true]);
});
