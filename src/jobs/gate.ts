// How many of something this process may have under way, by the limit of the moment; whoever comes too many waits in
// line, where tenants take turns.
import { createTurns } from './turns.ts';

export interface Gate {
  /** All at once or nothing. */
  tryEnter(): boolean;
  /** Waits for its turn; then takes as many places as are free, at most `wanted`. 0: it waited in vain. */
  enter(wanted: number, waitMs: number, tenant: string): Promise<number>;
  leave(places?: number): void;
  /** There may be more places than before. */
  changed(): void;
  isFull(): boolean;
  used(): number;
}

interface Waiter {
  wanted: number;
  admit: (places: number) => void;
}

export function createGate(limit: () => number): Gate {
  let used = 0;
  const line = createTurns<Waiter>();

  const take = (wanted: number): number => {
    const places = Math.max(0, Math.min(wanted, limit() - used));
    used += places;
    return places;
  };

  const admit = () => {
    while (!line.isEmpty() && used < limit()) {
      const next = line.next();
      next?.admit(take(next.wanted));
    }
  };

  return {
    tryEnter: () => line.isEmpty() && take(1) === 1,
    async enter(wanted, waitMs, tenant) {
      const places = line.isEmpty() ? take(wanted) : 0;
      if (places > 0) return places;
      return new Promise((resolve) => {
        const waiter: Waiter = {
          wanted,
          admit(admitted) {
            clearTimeout(timer);
            resolve(admitted);
          },
        };
        const timer = setTimeout(() => {
          line.leave(tenant, waiter);
          resolve(0);
        }, waitMs);
        line.join(tenant, waiter);
      });
    },
    leave(places = 1) {
      used -= places;
      admit();
    },
    changed: admit,
    isFull: () => used >= limit(),
    used: () => used,
  };
}
