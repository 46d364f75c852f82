import { expect, test } from 'vitest';

import { ALWAYS, makePlans } from './plan.ts';

test('a target that says no says it to every attempt, so that the end is planned whoever loses an answer', () => {
  const mix = { misbehaving: 1, chains: 0, behaviours: ['tooLarge'] as const };
  const plans = makePlans('F', 20, { seed: 1, oracleUrl: 'http://127.0.0.1:1', mix });
  for (const { steps } of plans) expect(steps.call).toEqual({ behaviour: 'tooLarge', times: ALWAYS });
});
