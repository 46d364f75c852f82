// Which failures are tried again, and when.
import { PerdureError } from './errors.ts';

const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 10_000;
/** Asked to stay away longer than this, we say so to the caller instead of hanging. */
const MAX_RETRY_AFTER_MS = 60_000;

/** `null`: do not try again. `tries` counts those already made. */
export function retryDelayMs(error: unknown, tries: number, repeatable: boolean, random = Math.random): number | null {
  if (!(error instanceof PerdureError) || !mayRetry(error, repeatable)) return null;
  if (error.retryAfterMs !== null) {
    return error.retryAfterMs > MAX_RETRY_AFTER_MS ? null : error.retryAfterMs * (1 + random() / 10);
  }
  const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 1));
  return delayMs * (0.5 + random() / 2);
}

// 429 and 503 are refusals: nothing was done. Without an answer nobody knows, so only what may happen twice is sent twice.
function mayRetry(error: PerdureError, repeatable: boolean): boolean {
  return error.status === 429 || error.status === 503 || (error.status === 0 && repeatable);
}
