// Proves that a webhook came from Perdure and is not an old one sent again (Standard Webhooks).
import type { Batch, Job, Run } from './types.ts';

export interface Webhook<Data = Job | Run | Batch> {
  /** Such as `job.failed`. */
  type: string;
  timestamp: string;
  data: Data;
}

export type WebhookHeaders = Headers | Record<string, string | readonly string[] | undefined>;

export interface VerifyWebhookOptions {
  /** How far the clocks may be apart, in both directions. */
  toleranceSeconds?: number;
}

export class WebhookError extends Error {
  override readonly name = 'WebhookError';
  readonly code: 'missingHeader' | 'badTimestamp' | 'wrongSignature' | 'badSecret' | 'badBody';

  constructor(code: WebhookError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Answers the parsed body or throws a `WebhookError`. Give the body exactly as received, before any JSON parser.
 * Several secrets: while one is replaced by another, either will do.
 */
export async function verifyWebhook<Data = Job | Run | Batch>(
  headers: WebhookHeaders,
  body: string | Uint8Array,
  secret: string | readonly string[],
  { toleranceSeconds = 300 }: VerifyWebhookOptions = {},
): Promise<Webhook<Data>> {
  const id = header(headers, 'webhook-id');
  const timestamp = header(headers, 'webhook-timestamp');
  const signatures = readSignatures(header(headers, 'webhook-signature'));
  const keys = await Promise.all([secret].flat().map(importSecret));

  const ageSeconds = /^\d+$/.test(timestamp) ? Date.now() / 1000 - Number(timestamp) : NaN;
  if (!(Math.abs(ageSeconds) <= toleranceSeconds)) {
    throw new WebhookError('badTimestamp', 'webhook-timestamp is too old, too far ahead or not a number');
  }
  const signed = concat(new TextEncoder().encode(`${id}.${timestamp}.`), body);
  if (!(await anyMatches(keys, signatures, signed))) {
    throw new WebhookError('wrongSignature', 'No signature in webhook-signature is of a secret we know');
  }
  try {
    return JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body)) as Webhook<Data>;
  } catch {
    throw new WebhookError('badBody', 'The body is not JSON');
  }
}

// `subtle.verify` compares in constant time.
async function anyMatches(keys: CryptoKey[], signatures: Bytes[], signed: Bytes): Promise<boolean> {
  for (const key of keys) {
    for (const signature of signatures) {
      if (await crypto.subtle.verify('HMAC', key, signature, signed)) return true;
    }
  }
  return false;
}

type Bytes = Uint8Array<ArrayBuffer>;
type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

function importSecret(secret: string): Promise<CryptoKey> {
  const bytes = fromBase64(secret.replace(/^whsec_/, ''));
  if (!bytes?.length) throw new WebhookError('badSecret', 'A secret is "whsec_" and base64');
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
}

/** `v1,<base64> v1,<base64> v1a,…`: of other versions than v1 we know nothing. */
function readSignatures(value: string): Bytes[] {
  return value
    .split(' ')
    .filter((part) => part.startsWith('v1,'))
    .map((part) => fromBase64(part.slice('v1,'.length)))
    .filter((bytes) => bytes !== null);
}

function header(headers: WebhookHeaders, name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : findHeader(headers, name);
  if (!value) throw new WebhookError('missingHeader', `There is no ${name} header`);
  return value;
}

function findHeader(headers: Exclude<WebhookHeaders, Headers>, name: string): string | undefined {
  const [, value] = Object.entries(headers).find(([key]) => key.toLowerCase() === name) ?? [];
  return typeof value === 'string' ? value : value?.[0];
}

function fromBase64(text: string): Bytes | null {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}

function concat(first: Uint8Array, second: string | Uint8Array): Bytes {
  const rest = typeof second === 'string' ? new TextEncoder().encode(second) : second;
  const joined = new Uint8Array(first.length + rest.length);
  joined.set(first);
  joined.set(rest, first.length);
  return joined;
}
