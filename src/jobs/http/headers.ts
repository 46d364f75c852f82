// Which headers a caller may set on an outgoing call, and which values an answer never shows.
import type { SecretReference } from '../../contract/job.ts';
import type { FieldFault } from '../../contract/problem.ts';

type HeaderValue = string | SecretReference;

const MAX_HEADERS = 50;
const MAX_HEADER_BYTES = 8 * 1024;
/** In place of a value that is not shown. */
export const REDACTED = '[redacted]';

// Framing and connection belong to the sender, the rest is what targets trust us to set.
const REFUSED =
  /^(host|content-length|connection|keep-alive|transfer-encoding|te|trailer|upgrade|expect|idempotency-key|(proxy|x-forwarded|x-perdure|webhook)-.*)$/i;
const SECRET = /^(authorization|cookie|proxy-.*)$|token|secret|key/i;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const LATIN1_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Pointers are relative to the headers: `/X-A`, and the empty pointer for all of them. */
export function checkOutgoingHeaders(headers: Record<string, HeaderValue>): FieldFault[] {
  const entries = Object.entries(headers);
  const faults: FieldFault[] = [];
  if (entries.length > MAX_HEADERS) faults.push({ pointer: '', detail: `At most ${MAX_HEADERS} headers.` });
  const bytes = entries.reduce((sum, [name, value]) => sum + name.length + templateOf(value).length, 0);
  if (bytes > MAX_HEADER_BYTES) faults.push({ pointer: '', detail: `At most ${MAX_HEADER_BYTES} bytes of headers.` });
  const seen = new Set<string>();
  for (const [name, value] of entries) {
    const detail = nameFault(name, seen) ?? valueFault(value);
    if (detail) faults.push({ pointer: `/${escapePointer(name)}`, detail });
    seen.add(name.toLowerCase());
  }
  return faults;
}

/** Also for what a secret became: one line of Latin-1. */
export function isHeaderValue(value: string): boolean {
  return LATIN1_VALUE.test(value);
}

export function isSecretHeader(name: string): boolean {
  return SECRET.test(name);
}

function templateOf(value: HeaderValue): string {
  return typeof value === 'string' ? value : (value.format ?? '{}');
}

function nameFault(name: string, seen: Set<string>): string | null {
  if (!TOKEN.test(name)) return 'Not a valid header name.';
  if (REFUSED.test(name)) return 'This header cannot be set.';
  if (seen.has(name.toLowerCase())) return 'This header is given twice.';
  return null;
}

function valueFault(value: HeaderValue): string | null {
  if (value === REDACTED) return 'Answers show this in place of a value that is kept: send the value itself.';
  if (!isHeaderValue(templateOf(value))) return 'A header value is one line of Latin-1 characters.';
  if (typeof value !== 'string' && templateOf(value).split('{}').length !== 2) {
    return 'The format has exactly one {} where the secret goes.';
  }
  return null;
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
