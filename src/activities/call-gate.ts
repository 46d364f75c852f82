// How many calls this process may have under way, by the setting of the moment; whoever comes too many waits in line.
//
// A place is taken before an attempt is opened, not before its call: what waits here is in nobody's way, and has
// neither used up an attempt nor begun its timeout.
export interface CallGate {
  /** All at once or nothing. */
  tryEnter(): boolean;
  /** Waits for its turn; then takes as many places as are free, at most `wanted`. 0: it waited in vain. */
  enter(wanted: number, waitMs: number): Promise<number>;
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

export function createCallGate(limit: () => number): CallGate {
  let used = 0;
  const line: Waiter[] = [];

  const take = (wanted: number): number => {
    const places = Math.max(0, Math.min(wanted, limit() - used));
    used += places;
    return places;
  };

  const admit = () => {
    while (line.length > 0 && used < limit()) {
      const next = line.shift();
      next?.admit(take(next.wanted));
    }
  };

  return {
    tryEnter: () => line.length === 0 && take(1) === 1,
    async enter(wanted, waitMs) {
      const places = line.length === 0 ? take(wanted) : 0;
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
          line.splice(line.indexOf(waiter), 1);
          resolve(0);
        }, waitMs);
        line.push(waiter);
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
