// Slots for activity tasks, as many as the setting of the moment says: what has no slot stays in Temporal's queue.
import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit } from '@temporalio/worker';

interface Waiting {
  grant: () => void;
}

export interface ActivitySlots extends CustomSlotSupplier<ActivitySlotInfo> {
  /** There may be more slots than before. */
  changed(): void;
}

export function createActivitySlots(limit: () => number): ActivitySlots {
  let used = 0;
  const waiting = new Set<Waiting>();

  const permit = (): SlotPermit => {
    used += 1;
    return {};
  };

  const grantFree = () => {
    for (const next of waiting) {
      if (used >= limit()) return;
      waiting.delete(next);
      next.grant();
    }
  };

  return {
    type: 'custom',
    async reserveSlot(_context, signal) {
      if (used < limit()) return permit();
      return new Promise<SlotPermit>((resolve, reject) => {
        const next: Waiting = {
          grant() {
            signal.removeEventListener('abort', cancel);
            resolve(permit());
          },
        };
        const cancel = () => {
          waiting.delete(next);
          reject(signal.reason instanceof Error ? signal.reason : new DOMException('aborted', 'AbortError'));
        };
        signal.addEventListener('abort', cancel, { once: true });
        waiting.add(next);
      });
    },
    tryReserveSlot: () => (used < limit() ? permit() : null),
    markSlotUsed() {},
    releaseSlot() {
      used -= 1;
      grantFree();
    },
    changed: grantFree,
  };
}
