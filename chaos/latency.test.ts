import { expect, test } from 'vitest';

import { compare, type Timed } from './latency.ts';

const PIECE_MS = 5_000;

/** So many pieces of two hundred calls, of which a tenth take the piece's time and the others a tenth of it. */
const pieces = (...times: number[]): Timed[] =>
  times.flatMap((ms, piece) =>
    Array.from({ length: 200 }, (_, n) => ({
      at: piece * PIECE_MS + n * 20,
      durationMs: n % 10 === 0 ? ms : ms / 10,
    })),
  );

test('the same is not slower, nor is a tenth more, nor what nobody can measure', () => {
  expect(compare(pieces(100, 110, 120), pieces(120, 100, 110)).slower).toBeNull();
  expect(compare(pieces(100, 100, 100), pieces(110, 110, 110)).slower).toBeNull();
  expect(compare(pieces(10, 10, 10), pieces(19, 19, 19)).slower).toBeNull();
});

test('what is slower in most pieces is slower', () => {
  expect(compare(pieces(100, 100, 100), pieces(130, 100, 130)).slower).toBe('p99 of five seconds 130 ms, not 100');
});

test('one stall is none of its making, one that doubles the whole is', () => {
  expect(compare(pieces(100, 100, 100, 100), pieces(100, 190, 100, 100)).slower).toBeNull();
  expect(compare(pieces(100, 100, 100, 100), pieces(100, 400, 100, 100)).slower).toBe('p99 400 ms, not 100');
});

test('with fewer than three pieces nothing is said to be as fast as before', () => {
  expect(compare(pieces(100, 100), pieces(100, 100, 100)).slower).toBe('too little to say so');
  expect(compare(pieces(100, 100, 100), []).slower).toBe('too little to say so');
});
