// The master keys of this process and what is encrypted under them: AES-256-GCM with a key of its own for each purpose.
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEX = /^[0-9a-fA-F]{64}$/;
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;

export type Purpose = 'secret' | 'header' | 'payload';

export interface MasterKey {
  /** Of its hash: it tells keys apart and says nothing about them. */
  id: string;
  bytes: Buffer;
}

export interface Encrypted {
  keyId: string;
  /** Nonce, ciphertext, tag. */
  bytes: Buffer;
}

export interface Keyring {
  currentId: string;
  /** `aad` is where the text belongs: moved elsewhere it cannot be read. */
  encrypt(purpose: Purpose, text: Uint8Array, aad: string): Encrypted;
  decrypt(purpose: Purpose, encrypted: Encrypted, aad: string): Buffer;
}

/** The key is not among ours, or the text was changed or belongs elsewhere. */
export class UndecipherableError extends Error {
  override name = 'UndecipherableError';
}

/** Keys are separated by commas or white space; the first encrypts, all of them decrypt. */
export function parseMasterKeys(text: string): MasterKey[] {
  const keys = text.split(/[\s,]+/).filter((part) => part !== '');
  if (keys.length === 0) throw new Error('holds no key');
  return keys.map((key) => {
    const bytes = HEX.test(key) ? Buffer.from(key, 'hex') : BASE64.test(key) ? Buffer.from(key, 'base64') : null;
    if (bytes?.length !== KEY_BYTES) throw new Error(`must be ${KEY_BYTES} bytes in base64 or hex`);
    return { id: createHash('sha256').update('perdure key id').update(bytes).digest('hex').slice(0, 12), bytes };
  });
}

export function createKeyring(keys: MasterKey[]): Keyring {
  const [current] = keys;
  if (!current) throw new Error('a keyring needs a key');
  const masters = new Map(keys.map(({ id, bytes }) => [id, bytes]));
  const derived = new Map<string, Buffer>();

  const derive = (keyId: string, use: string): Buffer => {
    const known = derived.get(`${keyId} ${use}`);
    if (known) return known;
    const master = masters.get(keyId);
    if (!master) throw new UndecipherableError(`encrypted under the master key ${keyId}, which is not here`);
    const key = Buffer.from(hkdfSync('sha256', master, '', `perdure/${use}`, KEY_BYTES));
    derived.set(`${keyId} ${use}`, key);
    return key;
  };

  return {
    currentId: current.id,

    encrypt(purpose, text, aad) {
      const nonce =
        purpose === 'secret' ? randomBytes(NONCE_BYTES) : synthetic(derive(current.id, `${purpose}/nonce`), text, aad);
      const cipher = createCipheriv('aes-256-gcm', derive(current.id, purpose), nonce).setAAD(Buffer.from(aad));
      const bytes = Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
      return { keyId: current.id, bytes };
    },

    decrypt(purpose, { keyId, bytes }, aad) {
      const key = derive(keyId, purpose);
      const end = bytes.length - TAG_BYTES;
      if (end < NONCE_BYTES) throw new UndecipherableError('too short to be encrypted');
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAAD(Buffer.from(aad)).setAuthTag(bytes.subarray(end));
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, end)), decipher.final()]);
      } catch {
        throw new UndecipherableError('it was changed, or belongs elsewhere');
      }
    },
  };
}

/**
 * From the text itself: the same text in the same place looks the same, so that putting a schedule again changes nothing
 * and Temporal's copy of it can be compared. Two texts never share a nonce.
 */
function synthetic(key: Buffer, text: Uint8Array, aad: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(aad));
  return createHmac('sha256', key).update(length).update(aad).update(text).digest().subarray(0, NONCE_BYTES);
}
