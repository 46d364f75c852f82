// Breaks that no longer apply would find nothing, and prove nothing.
import { resolve } from 'node:path';

import { expect, test } from 'vitest';

import { BREAKS, brokenTexts } from './breaks.ts';

test.each(BREAKS)('$name: the source still has what is broken', (one) => {
  expect(brokenTexts(resolve('.'), one).size).toBeGreaterThan(0);
});
