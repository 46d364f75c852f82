// How long a caller is ready to wait for an answer: `?wait=20s`, or `Prefer: wait=20` (RFC 7240).

import { parseDurationMs } from '../../contract/duration.ts';
import type { FieldFault } from '../../contract/problem.ts';

export const LONGEST_WAIT_MS = 60_000;

export type ParsedWait = { ok: true; waitMs: number | null } | { ok: false; faults: FieldFault[] };

/** Of all values the query gives it; null when there is none. */
export function parseWaitParameter([text, ...more]: string[]): ParsedWait {
  if (text === undefined) return { ok: true, waitMs: null };
  const waitMs = parseDurationMs(text);
  if (more.length > 0) return refuse('May be given once.');
  if (waitMs === null || waitMs > LONGEST_WAIT_MS) return refuse('Must be a duration of at most 60s, such as "20s".');
  return { ok: true, waitMs };
}

function refuse(detail: string): ParsedWait {
  return { ok: false, faults: [{ pointer: '/query/wait', detail }] };
}

/** Of the header; null when it asks for no wait. A preference may be ignored, so a longer one is cut, a bad one dropped. */
export function parsePreferWait(header: string | undefined): number | null {
  for (const preference of (header ?? '').split(',')) {
    const [, seconds] = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;.*)?$/i.exec(preference) ?? [];
    // The first one counts.
    if (seconds !== undefined) return Math.min(Number(seconds) * 1000, LONGEST_WAIT_MS);
  }
  return null;
}
