// Only the right key, purpose and place reads what was encrypted.
import { expect, test } from 'vitest';

import { createKeyring, type Encrypted, parseMasterKeys, UndecipherableError } from './keyring.ts';

const base64 = Buffer.alloc(32, 7).toString('base64');
const hex = Buffer.alloc(32, 8).toString('hex');
const text = Buffer.from('a secret');
const ring = (...keys: string[]) => createKeyring(parseMasterKeys(keys.join(',')));

test('keys are 32 bytes in base64 or hex, each with an id that depends on it alone', () => {
  const [one, two] = parseMasterKeys(`${base64},\n ${hex}`);
  expect(one?.bytes).toEqual(Buffer.alloc(32, 7));
  expect(two?.bytes).toEqual(Buffer.alloc(32, 8));
  expect(parseMasterKeys(Buffer.alloc(32, 7).toString('hex'))[0]?.id).toBe(one?.id);
  expect(two?.id).not.toBe(one?.id);
  for (const wrong of ['', ' , ', 'short', hex.slice(1), `${base64}A`, `${hex},x`]) {
    expect(() => parseMasterKeys(wrong), wrong).toThrow();
  }
});

test('an older key still reads, the first one writes', () => {
  const before = ring(base64).encrypt('secret', text, 'here');
  const rotated = ring(hex, base64);
  expect(rotated.decrypt('secret', before, 'here')).toEqual(text);
  expect(rotated.encrypt('secret', text, 'here').keyId).not.toBe(before.keyId);
});

test('another key, place or purpose, and every changed byte, is refused without saying more', () => {
  const encrypted = ring(base64).encrypt('header', text, 'here');
  const refused = (work: () => unknown) => expect(work).toThrow(UndecipherableError);
  refused(() => ring(hex).decrypt('header', encrypted, 'here'));
  refused(() => ring(base64).decrypt('header', encrypted, 'there'));
  refused(() => ring(base64).decrypt('secret', encrypted, 'here'));
  refused(() => ring(base64).decrypt('header', { ...encrypted, bytes: Buffer.alloc(3) }, 'here'));
  for (let at = 0; at < encrypted.bytes.length; at++) {
    const bytes = Buffer.from(encrypted.bytes);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    refused(() => ring(base64).decrypt('header', { ...encrypted, bytes }, 'here'));
  }
});

test('the same text looks the same in the same place only, and a kept secret never', () => {
  const keys = ring(base64);
  const nonce = ({ bytes }: Encrypted) => bytes.subarray(0, 12).toString('hex');
  expect(keys.encrypt('header', text, 'a')).toEqual(keys.encrypt('header', text, 'a'));
  const nonces = [
    keys.encrypt('header', text, 'a'),
    keys.encrypt('header', text, 'b'),
    keys.encrypt('payload', text, 'a'),
    keys.encrypt('header', Buffer.from('other'), 'a'),
    keys.encrypt('secret', text, 'a'),
    keys.encrypt('secret', text, 'a'),
  ].map(nonce);
  expect(new Set(nonces).size).toBe(nonces.length);
});
