// The secret store: write-only for users, read by name when a call is made.
import { setTimeout as sleep } from 'node:timers/promises';

import type { Database } from '../../db/pool.ts';
import {
  type EncryptedSecret,
  findSecret,
  putSecret,
  readSecret,
  rekeySecret,
  type SecretRow,
  secretsUnderOtherKeys,
} from '../../db/secrets.ts';
import { type Keyring, UndecipherableError } from './keyring.ts';

/** How long a value is used that may have been replaced meanwhile. */
const KEPT_FOR_MS = 3_000;
const MAX_KEPT = 1_000;
const ROTATED_AT_ONCE = 100;
const PAUSE_MS = 20;

export type PutSecret = { kind: 'created' | 'replaced'; row: SecretRow } | { kind: 'masterKeyMissing' };

export type SecretStore = ReturnType<typeof createSecretStore>;

export function createSecretStore({ db, keyring }: { db: Database; keyring: Keyring | null }) {
  const kept = new Map<string, { value: Promise<string | null>; until: number }>();

  const encrypt = (ring: Keyring, secret: Omit<EncryptedSecret, 'keyId' | 'value'>, text: Buffer): EncryptedSecret => {
    const { keyId, bytes } = ring.encrypt('secret', text, aadOf(secret));
    return { ...secret, keyId, value: bytes };
  };

  const decrypt = (secret: EncryptedSecret): Buffer => {
    if (!keyring) throw new UndecipherableError('there is no master key');
    return keyring.decrypt('secret', { keyId: secret.keyId, bytes: secret.value }, aadOf(secret));
  };

  const read = async (tenant: string, name: string): Promise<string | null> => {
    const secret = await readSecret(db, tenant, name);
    return secret && decrypt(secret).toString('latin1');
  };

  return {
    async put(tenant: string, name: string, value: string): Promise<PutSecret> {
      if (!keyring) return { kind: 'masterKeyMissing' };
      for (;;) {
        const old = await findSecret(db, tenant, name);
        const version = (old?.version ?? 0) + 1;
        const secret = encrypt(keyring, { tenant, name, version }, Buffer.from(value, 'latin1'));
        const row = await putSecret(db, secret);
        if (row) return { kind: old ? 'replaced' : 'created', row };
      }
    },

    /** Null where there is none. A value may be up to three seconds old. */
    async resolve(tenant: string, name: string): Promise<string | null> {
      const key = `${tenant}\n${name}`;
      const known = kept.get(key);
      if (known && known.until > performance.now()) return known.value;
      const value = read(tenant, name);
      if (kept.size >= MAX_KEPT) kept.clear();
      kept.set(key, { value, until: performance.now() + KEPT_FOR_MS });
      const forget = () => kept.delete(key);
      // One that is not there, or cannot be read, is looked for again the next time.
      value.then((found) => found ?? forget(), forget);
      return value;
    },

    /** Encrypts what is under an older key under the current one; what cannot be read stays, and is counted. */
    async rotate(): Promise<{ rotated: number; unreadable: number }> {
      const done = { rotated: 0, unreadable: 0 };
      if (!keyring) return done;
      for (let after = { tenant: '', name: '' }; ; await sleep(PAUSE_MS)) {
        const secrets = await secretsUnderOtherKeys(db, keyring.currentId, after, ROTATED_AT_ONCE);
        for (const secret of secrets) {
          const text = readable(() => decrypt(secret));
          if (text === null) done.unreadable += 1;
          else if (await rekeySecret(db, encrypt(keyring, secret, text))) done.rotated += 1;
        }
        const last = secrets.at(-1);
        if (!last || secrets.length < ROTATED_AT_ONCE) return done;
        after = last;
      }
    },
  };
}

function readable(read: () => Buffer): Buffer | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof UndecipherableError) return null;
    throw error;
  }
}

function aadOf({ tenant, name, version }: { tenant: string; name: string; version: number }): string {
  return `perdure secret\n${tenant}\n${name}\n${version}`;
}
