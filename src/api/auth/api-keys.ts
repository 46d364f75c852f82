// API keys: random enough that a plain hash of one is safe to keep, looked up on each request so that a deleted one is dead.
import { createHash, randomInt, timingSafeEqual } from 'node:crypto';

import { DEFAULT_TENANT, type Scope, SCOPES, withIncluded } from '../../contract/access.ts';
import { findValidApiKey, insertApiKey, type NewApiKey, touchApiKey } from '../../db/api-keys.ts';
import type { Database, Queryable } from '../../db/pool.ts';
import { newId } from '../../jobs/ids.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { VerifyToken } from './jwt.ts';

export const KEY_START = 'perdure_';
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 256 bits of them stay unknown when the first eight are shown. */
const RANDOM_LENGTH = 51;
const PREFIX_LENGTH = KEY_START.length + 8;
const TOUCH_EVERY_MS = 60_000;

export interface ApiKeyRequest {
  name: string;
  scopes: Scope[];
  tenant: string;
  expiresAt: Date | null;
}

/** The only moment at which the key itself is known. */
export async function createApiKey(
  db: Queryable,
  { name, scopes, tenant, expiresAt }: ApiKeyRequest,
): Promise<NewApiKey & { key: string }> {
  const key = KEY_START + Array.from({ length: RANDOM_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  const row = {
    id: newId('key'),
    ...{ tenant, name, expiresAt },
    scopes: SCOPES.filter((scope) => scopes.includes(scope)),
    prefix: key.slice(0, PREFIX_LENGTH),
    hash: hashOf(key),
    createdAt: new Date(),
  };
  await insertApiKey(db, row);
  return { ...row, key };
}

export interface ApiKeyDeps {
  db: Database;
  log: Logger;
  bootstrapKey: string | null;
}

export function createApiKeyVerifier({ db, log, bootstrapKey }: ApiKeyDeps): VerifyToken {
  const bootstrapHash = bootstrapKey === null ? null : hashOf(bootstrapKey);
  const beingTouched = new Set<string>();

  const touch = async (id: string, lastUsedAt: Date | null): Promise<void> => {
    if (beingTouched.has(id) || (lastUsedAt && Date.now() - lastUsedAt.getTime() < TOUCH_EVERY_MS)) return;
    beingTouched.add(id);
    await touchApiKey(db, id)
      .catch((error: unknown) => log.warn({ apiKey: id, err: error }, 'the last use of a key was not noted'))
      .finally(() => beingTouched.delete(id));
  };

  return async (token) => {
    const hash = hashOf(token);
    if (bootstrapHash && timingSafeEqual(hash, bootstrapHash)) {
      return { subject: 'bootstrap', tenant: DEFAULT_TENANT, scopes: [...SCOPES], auth: 'apikey' };
    }
    if (!token.startsWith(KEY_START)) return null;
    const row = await findValidApiKey(db, hash);
    if (!row) return null;
    void touch(row.id, row.lastUsedAt);
    return { subject: row.id, tenant: row.tenant, scopes: withIncluded(row.scopes), auth: 'apikey' };
  };
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
