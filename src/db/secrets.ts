// The secrets table: encrypted values, read by name only when a call is made.
import type { Queryable } from './pool.ts';

export interface SecretRow {
  /** The name, by which lists go on. */
  id: string;
  name: string;
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

export interface EncryptedSecret {
  tenant: string;
  name: string;
  version: number;
  keyId: string;
  value: Buffer;
}

export const SECRET_COLUMNS = 'name as id, name, version, created_at as "createdAt", updated_at as "updatedAt"';

export const SECRET_LIST = {
  table: '(select *, name as id from secrets) named',
  columns: SECRET_COLUMNS,
  conditions: {},
} as const;

export async function findSecret(db: Queryable, tenant: string, name: string): Promise<SecretRow | null> {
  const rows = await db.query<SecretRow>(`select ${SECRET_COLUMNS} from secrets where tenant = $1 and name = $2`, [
    tenant,
    name,
  ]);
  return rows[0] ?? null;
}

/** Null when the version was taken meanwhile: the value is encrypted for its version, so the caller does it again. */
export async function putSecret(
  db: Queryable,
  { tenant, name, version, keyId, value }: EncryptedSecret,
): Promise<SecretRow | null> {
  const rows = await db.query<SecretRow>(
    version === 1
      ? `insert into secrets (tenant, name, version, key_id, value, created_at, updated_at)
         values ($1, $2, $3, $4, $5, now(), now()) on conflict do nothing returning ${SECRET_COLUMNS}`
      : `update secrets set version = $3, key_id = $4, value = $5, updated_at = now()
         where tenant = $1 and name = $2 and version = $3 - 1 returning ${SECRET_COLUMNS}`,
    [tenant, name, version, keyId, value],
  );
  return rows[0] ?? null;
}

export async function deleteSecret(db: Queryable, tenant: string, name: string): Promise<boolean> {
  const rows = await db.query('delete from secrets where tenant = $1 and name = $2 returning name', [tenant, name]);
  return rows.length > 0;
}

export async function secretsAmong(db: Queryable, tenant: string, names: string[]): Promise<string[]> {
  const rows = await db.query<{ name: string }>('select name from secrets where tenant = $1 and name = any($2)', [
    tenant,
    names,
  ]);
  return rows.map(({ name }) => name);
}

const ENCRYPTED = 'tenant, name, version, key_id as "keyId", value';

export async function readSecret(db: Queryable, tenant: string, name: string): Promise<EncryptedSecret | null> {
  const rows = await db.query<EncryptedSecret>(`select ${ENCRYPTED} from secrets where tenant = $1 and name = $2`, [
    tenant,
    name,
  ]);
  return rows[0] ?? null;
}

/** Encrypted under another key than this one, in the order of their names. */
export async function secretsUnderOtherKeys(
  db: Queryable,
  keyId: string,
  after: { tenant: string; name: string },
  limit: number,
): Promise<EncryptedSecret[]> {
  return db.query<EncryptedSecret>(
    `select ${ENCRYPTED} from secrets where key_id <> $1 and (tenant, name) > ($2, $3) order by tenant, name limit $4`,
    [keyId, after.tenant, after.name, limit],
  );
}

/** The same value under another key. False when it was replaced or deleted meanwhile. */
export async function rekeySecret(
  db: Queryable,
  { tenant, name, version, keyId, value }: EncryptedSecret,
): Promise<boolean> {
  const rows = await db.query(
    'update secrets set key_id = $4, value = $5 where tenant = $1 and name = $2 and version = $3 returning name',
    [tenant, name, version, keyId, value],
  );
  return rows.length > 0;
}
