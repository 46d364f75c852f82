// The audit_log table: rows are added and read; nothing changes one, and retention.ts alone takes old ones away.
import type { AuthKind } from '../contract/access.ts';
import type { Queryable } from './pool.ts';

export interface AuditRow {
  id: string;
  tenant: string;
  actor: string;
  auth: AuthKind;
  action: string;
  targetKind: string;
  targetId: string | null;
  requestId: string;
  /** Never a secret: what is in it is answered to every admin of the tenant. */
  detail: Record<string, unknown>;
  createdAt: Date;
}

const COLUMNS = `id, tenant, actor, auth, action, target_kind as "targetKind", target_id as "targetId",
  request_id as "requestId", detail, created_at as "createdAt"`;

export const AUDIT_LIST = {
  table: 'audit_log',
  columns: COLUMNS,
  conditions: { actor: 'actor = any(?)', action: 'action = any(?)', target: 'target_id = any(?)' },
};

/** The rows are the first parameter, as JSON; a statement that goes on may ask for some of them only. */
export const INSERT_AUDIT = `insert into audit_log (id, tenant, actor, auth, action, target_kind, target_id, request_id,
    detail, created_at)
  select "id", "tenant", "actor", "auth", "action", "targetKind", "targetId", "requestId", "detail", "createdAt"
  from jsonb_to_recordset($1::jsonb) as row ("id" text, "tenant" text, "actor" text, "auth" text, "action" text,
    "targetKind" text, "targetId" text, "requestId" text, "detail" jsonb, "createdAt" timestamptz)`;

/** One statement however many there are. */
export async function insertAuditRows(db: Queryable, rows: readonly AuditRow[]): Promise<void> {
  await db.query(INSERT_AUDIT, [JSON.stringify(rows)]);
}

/** Whether it is the log that refused the statement. */
export function isAuditFailure(error: unknown): boolean {
  const { table, message } = error as { table?: unknown; message?: unknown };
  return table === 'audit_log' || (typeof message === 'string' && /\baudit_log\b/.test(message));
}
