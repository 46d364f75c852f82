// The state behind the gauges: shared by scrapes, bounded in what it costs, gone when the store is.
import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { createStateCache } from './state-cache.ts';

test('scrapes at one moment share one read', async () => {
  let reads = 0;
  const current = createStateCache(async () => ++reads);
  expect(await Promise.all([current(), current(), current()])).toEqual([1, 1, 1]);
  expect(await current()).toBe(1);
});

test('a slow read is followed by a rest of twenty times its length', async () => {
  let reads = 0;
  const read = async () => {
    await sleep(20);
    return ++reads;
  };
  const current = createStateCache(read, { minAgeMs: 0 });
  await current();
  await sleep(50);
  expect(await current()).toBe(1);
  await expect.poll(current, { timeout: 2_000 }).toBe(2);
});

test('a read that hangs keeps a scrape for a second at most, and the last state is shown', async () => {
  let reads = 0;
  const current = createStateCache(() => (reads++ === 0 ? Promise.resolve('first') : new Promise<string>(() => {})), {
    minAgeMs: 0,
  });
  await current();
  await sleep(5);
  const startedAt = performance.now();
  expect(await current()).toBe('first');
  expect(performance.now() - startedAt).toBeLessThan(1_500);
});

test('while the store is away there is no state', async () => {
  const current = createStateCache(() => Promise.reject(new Error('away')), { minAgeMs: 0 });
  expect(await current()).toBeNull();
});
