// Encrypts what Temporal keeps: arguments, results, signals, summaries and failures are ciphertext in its histories.
//
// A payload belongs to one workflow of one namespace: both are authenticated, the workflow's id stands in the metadata.
// Temporal appends the time to the id that a schedule names, so what was encrypted for `nightly` may be read by
// `nightly-2026-12-01T12:00:00Z`, and by no other.
import type { Payload, PayloadCodec, SerializationContext } from '@temporalio/common';

import { type Keyring, UndecipherableError } from './keyring.ts';

export const ENCODING = 'binary/perdure';
const KEY_ID = 'perdure-key';
const OWNER = 'perdure-owner';
const TIME_SUFFIX = /^-\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;
const LENGTH_BYTES = 4;

/** `migrate` also reads what is not encrypted; `on` refuses it. */
export type EncryptionMode = 'off' | 'migrate' | 'on';

export interface CodecOptions {
  keyring: Keyring;
  namespace: string;
  allowPlain: boolean;
}

export function createPayloadCodec({ keyring, namespace, allowPlain }: CodecOptions): PayloadCodec {
  const aadOf = (owner: string) => `perdure payload\n${namespace}\n${owner}`;

  const encode = (payload: Payload, owner: string): Payload => {
    const { keyId, bytes } = keyring.encrypt('payload', pack(payload), aadOf(owner));
    return { metadata: bytesOf({ encoding: ENCODING, [KEY_ID]: keyId, [OWNER]: owner }), data: bytes };
  };

  const decode = (payload: Payload, reader: string | null): Payload => {
    if (!isEncrypted(payload)) {
      if (allowPlain) return payload;
      throw new UndecipherableError('a payload is not encrypted, and PERDURE_ENCRYPTION is on');
    }
    const owner = ownerOf(payload);
    if (reader !== null && !mayRead(reader, owner)) {
      throw new UndecipherableError(`a payload of ${owner} stands in ${reader}`);
    }
    const encrypted = { keyId: metadataOf(payload, KEY_ID), bytes: Buffer.from(payload.data ?? []) };
    return unpack(keyring.decrypt('payload', encrypted, aadOf(owner)));
  };

  return {
    encode: async (payloads, context) => payloads.map((payload) => encode(payload, workflowIdOf(context) ?? '')),
    decode: async (payloads, context) => payloads.map((payload) => decode(payload, workflowIdOf(context))),
  };
}

export function isEncrypted(payload: Payload): boolean {
  return metadataOf(payload, 'encoding') === ENCODING;
}

/** The workflow that it was encrypted for; empty where the SDK did not say. */
export function ownerOf(payload: Payload): string {
  return metadataOf(payload, OWNER);
}

function mayRead(workflowId: string, owner: string): boolean {
  if (owner === '' || workflowId === owner) return true;
  return workflowId.startsWith(owner) && TIME_SUFFIX.test(workflowId.slice(owner.length));
}

function workflowIdOf(context: SerializationContext | undefined): string | null {
  return context?.workflowId ?? null;
}

/** The length of the metadata, the metadata as JSON, the data. */
function pack({ metadata, data }: Payload): Buffer {
  const texts = Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
  const head = Buffer.from(JSON.stringify(Object.fromEntries(texts)));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, Buffer.from(data ?? [])]);
}

function unpack(bytes: Buffer): Payload {
  const end = LENGTH_BYTES + bytes.readUInt32BE();
  const texts = JSON.parse(bytes.toString('utf8', LENGTH_BYTES, end)) as Record<string, string>;
  const metadata = Object.entries(texts).map(([name, text]) => [name, Buffer.from(text, 'base64')] as const);
  return { metadata: Object.fromEntries(metadata), data: bytes.subarray(end) };
}

function bytesOf(texts: Record<string, string>): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));
}

function metadataOf({ metadata }: Payload, name: string): string {
  return Buffer.from(metadata?.[name] ?? []).toString();
}
