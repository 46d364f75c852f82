// How long a caller waits for a store that answers, is slow, or fails.
import type { Request, Response } from 'express';
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

it('once the store has failed for one, nobody waits for it longer than 1.3 s', async () => {
  const patience = createPatience();
  const failing = expect(patience.begin()(failAfter(0))).rejects.toThrow('gone');
  const waiting = expect(patience.begin()(after(8_000, 'done'))).rejects.toThrow(StoreUnavailableError);
  await vi.advanceTimersByTimeAsync(1_300);
  await failing;
  await waiting;
});

it('who has waited long enough when the store fails hears of it at once', async () => {
  const patience = createPatience();
  const waiting = expect(patience.begin()(after(8_000, 'done'))).rejects.toThrow(StoreUnavailableError);
  const failing = expect(patience.begin()(failAfter(2_000))).rejects.toThrow('gone');
  await vi.advanceTimersByTimeAsync(2_100);
  await failing;
  await waiting;
});

it('those who wait for the same thing do not all give up at the same moment', async () => {
  const patience = createPatience();
  const failing = expect(patience.begin()(failAfter(0))).rejects.toThrow('gone');
  await vi.advanceTimersByTimeAsync(1);
  await failing;
  const startedAt = performance.now();
  const ends = new Set<number>();
  const wait = () =>
    patience
      .begin()(after(8_000, 'done'))
      .catch(() => void ends.add(Math.round((performance.now() - startedAt) / 10)));
  const all = Promise.all(Array.from({ length: 100 }, wait));
  await vi.advanceTimersByTimeAsync(1_400);
  await all;
  expect(ends.size).toBeGreaterThan(10);
});

it('the wait begins when the request came, not when its turn was', async () => {
  const patience = createPatience();
  const failing = expect(patience.begin()(failAfter(0))).rejects.toThrow('gone');
  const request = { arrivedAtMs: performance.now() - 700 } as Request;
  const response = { locals: {} } as Response;
  patience.attach(request, response, () => {});
  const waiting = expect(response.locals.within(after(8_000, 'done'))).rejects.toThrow(StoreUnavailableError);
  await vi.advanceTimersByTimeAsync(600);
  await failing;
  await waiting;
});

it('whose turn comes when its wait is over is told so, and nothing is begun', async () => {
  const patience = createPatience();
  const failing = expect(patience.begin()(failAfter(0))).rejects.toThrow('gone');
  await vi.advanceTimersByTimeAsync(1);
  await failing;
  const refused: unknown[] = [];
  const request = { arrivedAtMs: performance.now() - 900 } as Request;
  patience.attach(request, { locals: {} } as Response, (error) => void refused.push(error));
  expect(refused).toEqual([expect.any(StoreUnavailableError)]);
});

it('when very many wait for a store in trouble, the next is told at once; of one that is only slow, nobody', async () => {
  const patience = createPatience();
  const refused: unknown[] = [];
  const come = () => patience.attach({} as Request, { locals: {} } as Response, (error) => void refused.push(error));
  const waiting = Array.from({ length: 600 }, () =>
    patience
      .begin()(after(2_000, 'done'))
      .catch(() => 'refused'),
  );
  come();
  expect(refused).toEqual([undefined]);
  const failing = expect(patience.begin()(failAfter(0))).rejects.toThrow('gone');
  await vi.advanceTimersByTimeAsync(1);
  await failing;
  come();
  expect(refused[1]).toBeInstanceOf(StoreUnavailableError);
  await vi.advanceTimersByTimeAsync(2_000);
  await Promise.all(waiting);
  come();
  expect(refused[2]).toBeUndefined();
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
  const first = within(after(400, 'first'));
  await vi.advanceTimersByTimeAsync(400);
  await failing;
  expect(await first).toBe('first');
  const second = expect(within(after(2_000, 'second'))).rejects.toThrow(StoreUnavailableError);
  await vi.advanceTimersByTimeAsync(900);
  await second;
});
