// A label that users make values for stops growing.
import { expect, test } from 'vitest';

import { createBoundedLabel } from './bounded-label.ts';

test('the first values stand for themselves for ever, later ones are other', () => {
  const label = createBoundedLabel(2);
  expect(['a', 'b', 'c', 'a', 'd', 'b'].map(label)).toEqual(['a', 'b', 'other', 'a', 'other', 'b']);
});

test('a million hosts are a hundred and one series', () => {
  const label = createBoundedLabel(100);
  const seen = new Set(Array.from({ length: 1_000_000 }, (_, at) => label(`host-${at}.example`)));
  expect(seen.size).toBe(101);
});
