// What was answered first under an Idempotency-Key; the rows are written with what they made (jobs.ts and others).
import type { NewKey } from './jobs.ts';
import type { Queryable } from './pool.ts';

export interface KeyRow {
  fingerprint: string;
  resourceId: string;
  answer: string;
}

export async function findKey(db: Queryable, tenant: string, { scope, key }: { scope: string; key: string }) {
  const rows = await db.query<KeyRow>(
    `select fingerprint, resource_id as "resourceId", answer from idempotency_keys
     where tenant = $1 and scope = $2 and key = $3`,
    [tenant, scope, key],
  );
  return rows[0] ?? null;
}

/** Whoever else makes something under the same key waits until this transaction has ended. */
export async function lockKey(tx: Queryable, tenant: string, { scope, key }: { scope: string; key: string }) {
  await tx.query("select pg_advisory_xact_lock(hashtextextended(concat_ws(' ', $1::text, $2::text, $3::text), 0))", [
    tenant,
    scope,
    key,
  ]);
}

/** Waits for a concurrent holder of the same key; false when it has been taken. */
export async function insertKey(db: Queryable, tenant: string, resourceId: string, key: NewKey): Promise<boolean> {
  const rows = await db.query(
    `insert into idempotency_keys (tenant, scope, key, fingerprint, resource_id, answer, created_at)
     values ($1, $2, $3, $4, $5, $6, now()) on conflict do nothing returning key`,
    [tenant, key.scope, key.key, key.fingerprint, resourceId, key.answer],
  );
  return rows.length === 1;
}
