// A request body to a JSON value, refusing what a store or a reader behind us would choke on or read differently.

import { type JsonFault, type JsonLimits, scanJson } from './json-scanner.ts';

export type JsonResult = { ok: true; value: unknown } | ({ ok: false } & JsonFault);

export function parseStrictJson(
  input: string | Buffer,
  { maxDepth = 32, maxKeys = 10_000, keysPerItemOf = null }: Partial<JsonLimits> = {},
): JsonResult {
  const text = typeof input === 'string' ? input : decodeUtf8(input);
  if (text === null) return notJson('The body is not valid UTF-8.');
  if (text.charCodeAt(0) === 0xfeff) return notJson('The body begins with a byte order mark.');
  const fault = scanJson(text, { maxDepth, maxKeys, keysPerItemOf });
  if (fault) return { ok: false, ...fault };
  return { ok: true, value: JSON.parse(text) as unknown };
}

function notJson(detail: string): JsonResult {
  return { ok: false, status: 400, code: 'invalidJson', detail, pointer: '' };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Buffer): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}
