// Reads the state of the store for scrapes: seldom enough to cost little, and never longer than a scrape may take.
import { setTimeout as sleep } from 'node:timers/promises';

/** Scrapes in between get the same answer. */
const MIN_AGE_MS = 4_000;
/** Of one connection's time, reading takes at most a twentieth, however large the tables are. */
const REST_PER_READ = 20;
const MAX_WAIT_MS = 1_000;
/** Older than that, no answer is better than this one. */
const MAX_AGE_MS = 120_000;

/** Null while the store is away. */
export function createStateCache<State>(
  read: () => Promise<State>,
  { minAgeMs = MIN_AGE_MS }: { minAgeMs?: number } = {},
): () => Promise<State | null> {
  let last: { state: State | null; at: number; restMs: number } | null = null;
  let reading: Promise<void> | null = null;

  const refresh = async (): Promise<void> => {
    const startedAt = performance.now();
    const state = await read().catch(() => null);
    const at = performance.now();
    last = { state, at, restMs: (at - startedAt) * REST_PER_READ };
  };

  return async () => {
    if (last === null || performance.now() - last.at > Math.max(minAgeMs, last.restMs)) {
      reading ??= refresh().finally(() => (reading = null));
      // What was read before is a better answer than none in time.
      await Promise.race([reading, sleep(MAX_WAIT_MS, undefined, { ref: false })]);
    }
    return last === null || performance.now() - last.at > MAX_AGE_MS ? null : last.state;
  };
}
