// How long things took at different times of a run: what must not get slower while something else happens.
import type { Call } from './history.ts';

/** A fifth more, or as little as nobody can measure. */
const SLOWER_BY = 1.2;
const NOT_WORTH_MENTIONING_MS = 10;
const LEAST_SAMPLES = 200;

export interface Period {
  from: number;
  until: number;
}

export function p99(durations: number[]): number {
  const sorted = durations.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? 0);
}

export function submissionsIn(calls: Call[], { from, until }: Period): number[] {
  return calls.filter(({ op, at }) => op === 'submit' && at >= from && at < until).map(({ durationMs }) => durationMs);
}

/** Null where it is not slower, or where there is too little to say so. */
export function slowerThan(before: number[], during: number[]): string | null {
  if (Math.min(before.length, during.length) < LEAST_SAMPLES) return null;
  const [usual, seen] = [p99(before), p99(during)];
  return seen <= Math.max(usual * SLOWER_BY, usual + NOT_WORTH_MENTIONING_MS) ? null : `p99 ${seen} ms, not ${usual}`;
}
