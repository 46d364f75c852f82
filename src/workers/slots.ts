// Slots for tasks, as many as the moment allows: what has no slot stays in Temporal's queue.
import type { ActivitySlotInfo, CustomSlotSupplier, SlotInfo, SlotPermit, WorkflowSlotInfo } from '@temporalio/worker';

interface Waiting {
  grant: () => void;
}

export interface Slots<Info extends SlotInfo> extends CustomSlotSupplier<Info> {
  /** There may be more slots than before. */
  changed(): void;
}

export type ActivitySlots = Slots<ActivitySlotInfo>;
export type WorkflowSlots = Slots<WorkflowSlotInfo>;

export function createSlots<Info extends SlotInfo>(limit: () => number): Slots<Info> {
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
          // The SDK takes any other error, even of the same name, for a failure.
          reject(signal.reason as Error);
        };
        signal.addEventListener('abort', cancel, { once: true });
        waiting.add(next);
      });
    },
    // Whoever asks Temporal for the oldest waits in line; nobody is served before that.
    tryReserveSlot: () => (waiting.size === 0 && used < limit() ? permit() : null),
    markSlotUsed() {},
    releaseSlot() {
      used -= 1;
      grantFree();
    },
    changed: grantFree,
  };
}
