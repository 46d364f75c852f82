// Turns an answer into what is kept of it: JSON as JSON, text as text, everything else as base64.
import { currentMs } from '../clock.ts';
import type { StoredResult } from '../db/jobs.ts';
import type { SendOutcome } from '../jobs/http/send.ts';
import { parseStrictJson } from '../jobs/json/strict-json.ts';
import type { CallOutcome } from '../jobs/verdict.ts';

export function toCallOutcome(outcome: SendOutcome, now = currentMs()): CallOutcome {
  if (outcome.kind !== 'answered') return outcome;
  const { status, headers, truncated, durationMs } = outcome;
  const result: StoredResult = {
    status,
    headers: storable(headers),
    ...keptBody(outcome.body, headers['content-type'] ?? '', truncated),
    truncated,
    durationMs: Math.round(durationMs),
  };
  return {
    kind: 'answered',
    result,
    retryAfterMs: parseRetryAfter(headers['retry-after'], now),
    noRetry: headers['x-perdure-no-retry']?.trim().toLowerCase() === 'true',
  };
}

/** Seconds or an HTTP date; anything else is no wish at all. */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  if (!/^[A-Za-z]{3,9},? /.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

function keptBody(body: Buffer, contentType: string, truncated: boolean) {
  if (body.length === 0) return { body: null };
  if (!truncated && /\bjson\b/i.test(contentType)) {
    const parsed = parseStrictJson(body, { maxDepth: 64, maxKeys: 50_000 });
    if (parsed.ok) return { body: parsed.value };
  }
  const text = decodeText(body, truncated);
  return text === null ? { bodyBase64: body.toString('base64') } : { bodyText: text };
}

function decodeText(body: Buffer, truncated: boolean): string | null {
  try {
    // `stream` forgives a character that the cut at the end has split.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body, { stream: truncated });
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}

/** Header values are bytes; PostgreSQL's JSON takes everything but NUL. */
function storable(headers: Record<string, string>): Record<string, string> {
  if (!Object.values(headers).some((value) => value.includes('\0'))) return headers;
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replaceAll('\0', '')]));
}
