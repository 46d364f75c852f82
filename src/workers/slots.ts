// Slots for tasks, as many as the moment allows: what has no slot stays in Temporal's queue.
import type { ActivitySlotInfo, CustomSlotSupplier, SlotInfo, SlotPermit, WorkflowSlotInfo } from '@temporalio/worker';

interface Waiting {
  grant: () => void;
}

export interface Slots<Info extends SlotInfo> extends CustomSlotSupplier<Info> {
  /** There may be more slots than before. */
  changed(): void;
}

/** A slot is reserved for a poll, which may bring no task for long, and then used by the task it brings. */
export interface SlotCounts {
  reserved: number;
  used: number;
}

export type ActivitySlots = Slots<ActivitySlotInfo>;
export type WorkflowSlots = Slots<WorkflowSlotInfo>;

/** `onTask`: a task has begun (1) or ended (-1). */
export function createSlots<Info extends SlotInfo>(
  hasRoom: (counts: SlotCounts) => boolean,
  onTask: (change: 1 | -1, counts: SlotCounts) => void = () => {},
): Slots<Info> {
  const counts: SlotCounts = { reserved: 0, used: 0 };
  const waiting = new Set<Waiting>();

  const permit = (): SlotPermit => {
    counts.reserved += 1;
    return {};
  };

  const grantFree = () => {
    for (const next of waiting) {
      if (!hasRoom(counts)) return;
      waiting.delete(next);
      next.grant();
    }
  };

  return {
    type: 'custom',
    async reserveSlot(_context, signal) {
      if (hasRoom(counts)) return permit();
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
    tryReserveSlot: () => (waiting.size === 0 && hasRoom(counts) ? permit() : null),
    markSlotUsed() {
      counts.used += 1;
      onTask(1, counts);
    },
    releaseSlot({ slotInfo }) {
      counts.reserved -= 1;
      // Else its poll has ended without a task.
      if (slotInfo) {
        counts.used -= 1;
        onTask(-1, counts);
      }
      grantFree();
    },
    changed: grantFree,
  };
}
