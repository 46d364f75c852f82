// Writes audit rows: those of requests that end while one statement is under way share the next.
import { type AuditRow, insertAuditRows } from '../../db/audit.ts';
import { gather } from '../../db/gather.ts';
import type { Database } from '../../db/pool.ts';

/** Resolves when the row is kept. */
export type WriteAudit = (row: AuditRow) => Promise<void>;

const MAX_ROWS = 500;

export function createAuditWriter(db: Database): WriteAudit {
  // They are of several tenants.
  const insert = (rows: AuditRow[]) => db.asService(() => insertAuditRows(db, rows));
  return gather<AuditRow, void>({
    one: (row) => insert([row]),
    async many(rows) {
      await insert(rows);
      return [];
    },
    maxItems: MAX_ROWS,
  });
}
