// How long things took at different times of a run: what must not get slower while something else happens.
import { groupBy, quantile } from './checker.ts';
import type { Call } from './history.ts';

/** A fifth more, or as little as nobody can measure. */
const SLOWER_BY = 1.2;
const NOT_WORTH_MENTIONING_MS = 10;
/**
 * The p99 of half a minute is what one stall of a third of a second makes of it, and those come without anything to blame
 * too. So pieces are compared, each by its p99: the one in the middle with the one in the middle. All of them together
 * may be at most so much slower.
 */
const PIECE_MS = 5_000;
const STALLS_BY = 2;
const LEAST_SAMPLES = 100;
const LEAST_PIECES = 3;

export interface Period {
  from: number;
  until: number;
}

/** When it began, and how long it took. */
export interface Timed {
  at: number;
  durationMs: number;
}

export function submissionsIn(calls: Call[], { from, until }: Period): Timed[] {
  return calls.filter(({ op, at }) => op === 'submit' && at >= from && at < until);
}

export interface Comparison {
  p99BeforeMs: number;
  p99DuringMs: number;
  /** Of the piece in the middle. */
  typicalBeforeMs: number;
  typicalDuringMs: number;
  /** Null where it is not slower. */
  slower: string | null;
}

export function compare(before: Timed[], during: Timed[]): Comparison {
  const figures = {
    p99BeforeMs: p99(before),
    p99DuringMs: p99(during),
    typicalBeforeMs: typicalP99(before),
    typicalDuringMs: typicalP99(during),
  };
  return { ...figures, slower: judge(figures) };
}

function judge({ p99BeforeMs, p99DuringMs, typicalBeforeMs, typicalDuringMs }: Omit<Comparison, 'slower'>) {
  if (Number.isNaN(typicalBeforeMs + typicalDuringMs)) return 'too little to say so';
  const isSlower = (usual: number, seen: number, by: number) =>
    seen > Math.max(usual * by, usual + NOT_WORTH_MENTIONING_MS);
  if (isSlower(typicalBeforeMs, typicalDuringMs, SLOWER_BY)) {
    return `p99 of five seconds ${typicalDuringMs} ms, not ${typicalBeforeMs}`;
  }
  return isSlower(p99BeforeMs, p99DuringMs, STALLS_BY) ? `p99 ${p99DuringMs} ms, not ${p99BeforeMs}` : null;
}

/** NaN where there are too few. */
function typicalP99(some: Timed[]): number {
  const pieces = groupBy(some, ({ at }) => Math.floor(at / PIECE_MS));
  const full = [...pieces.values()].filter((piece) => piece.length >= LEAST_SAMPLES);
  return full.length < LEAST_PIECES ? NaN : quantile(sorted(full.map(p99)), 0.5);
}

function p99(some: Timed[]): number {
  return Math.round(quantile(sorted(some.map(({ durationMs }) => durationMs)), 0.99));
}

function sorted(values: number[]): number[] {
  return values.toSorted((a, b) => a - b);
}
