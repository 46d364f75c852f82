// One text for all spellings of the same JSON, and the fingerprint that tells a repeated request from another one.

import { createHash } from 'node:crypto';

/** Keys sorted by code unit, no white space, numbers in their shortest form. Takes what JSON.parse gives. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) return canonicalObject(value as Record<string, unknown>);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError('not a JSON number');
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError(`not a JSON value: ${typeof value}`);
  return text;
}

function canonicalObject(value: Record<string, unknown>): string {
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`).join(',')}}`;
}

/** SHA-256 in hex. `content` is the body as sent, before defaults. */
export function fingerprint({ method, path, content }: { method: string; path: string; content: unknown }): string {
  return createHash('sha256')
    .update(canonicalJson([method, path, content]))
    .digest('hex');
}
