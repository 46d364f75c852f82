// What is measured, seen from the harness: anything that makes HTTP calls durably, and says when they are done.
import type { Groups } from './usage.ts';

/**
 * `singles`: 32 submitters, each waits for the result of its job before it sends the next.
 * `posts`, `shared`: 32 submitters that do not wait; over when the last job is final.
 * `latency`: one job after the other. `batch`: all jobs handed over at once.
 */
export const SUITES = ['singles', 'latency', 'posts', 'shared', 'batch'] as const;
export type Suite = (typeof SUITES)[number];

export interface Order {
  suite: Suite;
  count: number;
  submitters: number;
}

/** How long it took in all, and, for `latency`, each job from its submission to its result. */
export interface Done {
  ms: number;
  timesMs?: number[];
}

export interface System {
  name: string;
  suites: readonly Suite[];
  /** The processes that serve it; what it shares with others (PostgreSQL, Temporal) included. */
  groups: Groups;
  run(order: Order): Promise<Done>;
  stop(): Promise<void>;
}

/** `count` times `work`, by so many at a time. */
export async function inParallel(count: number, lanes: number, work: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let n = next++; n < count; n = next++) await work(n);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

export async function timesOf(count: number, work: (n: number) => Promise<unknown>): Promise<Done> {
  const timesMs: number[] = [];
  const ms = await timed(async () => {
    for (let n = 0; n < count; n++) timesMs.push(await timed(() => work(n)));
  });
  return { ms, timesMs };
}
