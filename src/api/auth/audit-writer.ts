// Writes audit rows: those of requests that end while one statement is under way share the next.
import { type AuditRow, insertAuditRows } from '../../db/audit.ts';
import type { Database } from '../../db/pool.ts';

/** Resolves when the row is kept. */
export type WriteAudit = (row: AuditRow) => Promise<void>;

interface Waiting {
  row: AuditRow;
  resolve: () => void;
  reject: (error: unknown) => void;
}

const MAX_ROWS = 500;

export function createAuditWriter(db: Database): WriteAudit {
  let waiting: Waiting[] = [];
  let busy = false;

  const writeAll = async (): Promise<void> => {
    busy = true;
    while (waiting.length > 0) {
      const group = waiting.slice(0, MAX_ROWS);
      waiting = waiting.slice(MAX_ROWS);
      const rows = group.map(({ row }) => row);
      // They are of several tenants.
      await db
        .asService(() => insertAuditRows(db, rows))
        .then(
          () => group.forEach(({ resolve }) => resolve()),
          (error: unknown) => group.forEach(({ reject }) => reject(error)),
        );
    }
    busy = false;
  };

  return (row) =>
    new Promise((resolve, reject) => {
      waiting.push({ row, resolve, reject });
      if (!busy) void writeAll();
    });
}
