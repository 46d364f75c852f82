// Makes a thing once per idempotency key where that takes more than one statement: of two at once, the second replays.
import { findKey, insertKey, lockKey } from '../db/idempotency-keys.ts';
import type { Database, Queryable } from '../db/pool.ts';
import type { IdempotencyKey } from './accept.ts';

export interface Made {
  id: string;
  /** Kept with the key, so that a replay repeats it byte for byte. */
  answer: string;
}

export type Replay = ({ kind: 'replayed' } & Made) | { kind: 'keyReused' };
export type MadeOnce = ({ kind: 'created' } & Made) | Replay;

export async function once(
  db: Database,
  tenant: string,
  key: IdempotencyKey | null,
  make: (tx: Queryable) => Promise<Made>,
): Promise<MadeOnce> {
  return db.transaction(async (tx) => {
    if (key) await lockKey(tx, tenant, key);
    const known = await replayOf(tx, tenant, key);
    if (known) return known;
    const { id, answer } = await make(tx);
    if (key) await insertKey(tx, tenant, id, { ...key, answer });
    return { kind: 'created', id, answer };
  });
}

/** What was answered first under this key, if it was used before. */
export async function replayOf(db: Queryable, tenant: string, key: IdempotencyKey | null): Promise<Replay | null> {
  const known = key && (await findKey(db, tenant, key));
  if (!key || !known) return null;
  if (known.fingerprint !== key.fingerprint) return { kind: 'keyReused' };
  return { kind: 'replayed', id: known.resourceId, answer: known.answer };
}
