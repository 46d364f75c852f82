// The `Idempotency-Key` header: 1 to 255 visible ASCII characters, quoted or not.

export type ParsedIdempotencyKey = { ok: true; key: string | null } | { ok: false; detail: string };

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;
const QUOTED = /^"(.*)"$/s;

/** The key without its quotes, so that both spellings are one key; null when there is no header. */
export function parseIdempotencyKey(header: string | undefined): ParsedIdempotencyKey {
  if (header === undefined) return { ok: true, key: null };
  const key = QUOTED.exec(header)?.[1] ?? header;
  // What begins as a quoted text must end as one.
  const halfQuoted = key === header && header.startsWith('"');
  if (halfQuoted || !VISIBLE_ASCII.test(key)) {
    return { ok: false, detail: 'Idempotency-Key must be 1 to 255 visible ASCII characters, quoted or not.' };
  }
  return { ok: true, key };
}
