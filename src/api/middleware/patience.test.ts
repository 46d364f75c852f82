// How long a caller waits for a store that answers, is slow, or fails.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { StoreUnavailableError } from '../../db/pool.ts';
import { createPatience } from './patience.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const after = <T>(ms: number, value: T) => new Promise<T>((resolve) => setTimeout(() => resolve(value), ms));
const failAfter = (ms: number) =>
  new Promise<never>((_resolve, reject) => setTimeout(() => reject(new StoreUnavailableError('gone')), ms));

it('a slow store is waited for', async () => {
  const within = createPatience().begin();
  const slow = within(after(8_000, 'done'));
  await vi.advanceTimersByTimeAsync(8_000);
  expect(await slow).toBe('done');
});

it('once the store has failed for one, nobody waits for it longer than a second and a half', async () => {
  const patience = createPatience();
  const failing = expect(patience.begin()(failAfter(1_000))).rejects.toThrow('gone');
  const waiting = expect(patience.begin()(after(8_000, 'done'))).rejects.toThrow(StoreUnavailableError);
  await vi.advanceTimersByTimeAsync(1_500);
  await failing;
  await waiting;
});

it('a store that has not failed for a while is waited for again', async () => {
  const patience = createPatience();
  const failing = expect(patience.begin()(failAfter(0))).rejects.toThrow('gone');
  await vi.advanceTimersByTimeAsync(11_000);
  await failing;
  const slow = patience.begin()(after(4_000, 'done'));
  await vi.advanceTimersByTimeAsync(4_000);
  expect(await slow).toBe('done');
});

it('what one request waits for one after the other is one wait', async () => {
  const patience = createPatience();
  const failing = expect(patience.begin()(failAfter(0))).rejects.toThrow('gone');
  const within = patience.begin();
  const first = within(after(1_000, 'first'));
  await vi.advanceTimersByTimeAsync(1_000);
  await failing;
  expect(await first).toBe('first');
  const second = expect(within(after(1_000, 'second'))).rejects.toThrow(StoreUnavailableError);
  await vi.advanceTimersByTimeAsync(500);
  await second;
});
