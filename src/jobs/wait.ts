// Waits until a job is final: woken inside this process, and by asking PostgreSQL for those that end elsewhere.
import { finishedAmong } from '../db/jobs.ts';
import type { Database } from '../db/pool.ts';
import type { Bell } from './bell.ts';

const ASK_EVERY_MS = 100;

export type WaitUntilFinal = (id: string, waitMs: number) => Promise<void>;

export function createWait({ db, bell }: { db: Database; bell: Bell }): {
  waitUntilFinal: WaitUntilFinal;
  /** Ends every wait at once, so that a shutdown is not held up. */
  release(): void;
} {
  const waiting = new Map<string, Set<() => void>>();
  let asking: NodeJS.Timeout | undefined;

  /** One question for all waiters, and none while nobody waits. */
  const ask = async () => {
    const ended = await finishedAmong(db, [...waiting.keys()]).catch(() => []);
    for (const id of ended) for (const wake of [...(waiting.get(id) ?? [])]) wake();
    asking = waiting.size > 0 ? setTimeout(() => void ask(), ASK_EVERY_MS) : undefined;
  };

  const waitUntilFinal: WaitUntilFinal = (id, waitMs) =>
    new Promise((resolve) => {
      const wakers = waiting.get(id) ?? new Set();
      const done = () => {
        clearTimeout(timer);
        silence();
        wakers.delete(done);
        if (wakers.size === 0) waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      const silence = bell.on(id, done);
      waiting.set(id, wakers.add(done));
      // At once: it may have become final before anyone listened. Whoever waits first asks for waiters of all tenants.
      asking ??= db.asService(() => setTimeout(() => void ask(), 1));
    });

  return {
    waitUntilFinal,
    release() {
      clearTimeout(asking);
      for (const wakers of [...waiting.values()]) for (const wake of [...wakers]) wake();
    },
  };
}
