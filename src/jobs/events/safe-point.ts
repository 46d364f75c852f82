// Up to which row of the outbox nothing can appear any more (docs/decisions/events.md).
import type { Transactions } from '../../db/events.ts';

/**
 * Whoever has taken a number has had its transaction's id before: once all transactions that were open after the
 * greatest number was read have ended, no row up to that number is still to come.
 */
export function createSafePoint() {
  let safeRow: number | null = null;
  let pending: { row: number; next: bigint } | null = null;
  return {
    row: () => safeRow,
    isNews: (last: number) => safeRow === null || last > safeRow,
    /** `transactions` as they were after `last` was read. */
    note(last: number, { oldestOpen, next }: Transactions) {
      if (pending && oldestOpen >= pending.next) {
        safeRow = pending.row;
        pending = null;
      }
      if (oldestOpen >= next) safeRow = last;
      else pending ??= { row: last, next };
    },
    /** Nobody looked for a while; what is safe is found anew. */
    forget() {
      safeRow = null;
      pending = null;
    },
  };
}
