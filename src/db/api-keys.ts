// The api_keys table: found by hash on every request, listed and deleted by the admins of a tenant.
import type { Scope } from '../contract/access.ts';
import type { Queryable } from './pool.ts';

export interface ApiKeyRow {
  id: string;
  tenant: string;
  name: string;
  prefix: string;
  scopes: Scope[];
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
}

export type NewApiKey = Omit<ApiKeyRow, 'lastUsedAt'> & { hash: Buffer };

const COLUMNS = `id, tenant, name, prefix, scopes, created_at as "createdAt", expires_at as "expiresAt",
  last_used_at as "lastUsedAt"`;

export const API_KEY_LIST = { table: 'api_keys', columns: COLUMNS, conditions: {} };

export async function insertApiKey(db: Queryable, key: NewApiKey): Promise<void> {
  await db.query(
    `insert into api_keys (id, tenant, name, hash, prefix, scopes, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [key.id, key.tenant, key.name, key.hash, key.prefix, key.scopes, key.createdAt, key.expiresAt],
  );
}

/** Of any tenant: it is the key that says whose it is. */
export async function findValidApiKey(db: Queryable, hash: Buffer): Promise<ApiKeyRow | null> {
  const rows = await db.query<ApiKeyRow>(
    `select ${COLUMNS} from api_keys where hash = $1 and (expires_at is null or expires_at > now())`,
    [hash],
  );
  return rows[0] ?? null;
}

export async function findApiKey(db: Queryable, tenant: string, id: string): Promise<ApiKeyRow | null> {
  const rows = await db.query<ApiKeyRow>(`select ${COLUMNS} from api_keys where tenant = $1 and id = $2`, [tenant, id]);
  return rows[0] ?? null;
}

export async function deleteApiKey(db: Queryable, tenant: string, id: string): Promise<boolean> {
  const rows = await db.query('delete from api_keys where tenant = $1 and id = $2 returning id', [tenant, id]);
  return rows.length === 1;
}

/** It is never made to live longer; false when it is not there. */
export async function expireApiKeyBy(db: Queryable, tenant: string, id: string, at: Date): Promise<boolean> {
  const rows = await db.query(
    'update api_keys set expires_at = least(expires_at, $3) where tenant = $1 and id = $2 returning id',
    [tenant, id, at],
  );
  return rows.length === 1;
}

/** To the minute: of several processes that use a key, one writes. */
export async function touchApiKey(db: Queryable, id: string): Promise<void> {
  await db.query(
    `update api_keys set last_used_at = now()
     where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
    [id],
  );
}
