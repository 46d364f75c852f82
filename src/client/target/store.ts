// What a target keeps of a request it has answered, and the life of a key: new, in progress, done.

export interface StoredAnswer {
  status: number;
  headers: Record<string, string>;
  bodyBase64: string;
}

/** `token` says who holds the key: one that took over after the lock ran out must not be overwritten by the one before. */
export type Begun =
  | { state: 'new'; token: string }
  | { state: 'inProgress'; retryAfterSeconds: number }
  | { state: 'done'; answer: StoredAnswer };

export interface IdempotencyStore {
  begin(key: string, lockSeconds: number): Promise<Begun>;
  complete(key: string, token: string, answer: StoredAnswer): Promise<void>;
  /** Nothing happened that may not happen again. */
  release(key: string, token: string): Promise<void>;
}

export interface IdempotencyOptions {
  store: IdempotencyStore;
  /**
   * How long a request may be under way. After that it is taken for dead (its process crashed) and the next one with
   * the key runs: longer than the longest call, so that no two run at once.
   */
  lockSeconds?: number;
  /**
   * The answer while the first request is still under way: 425 (Too Early) by default. A job retries 425, 429 and 503
   * by default, 409 only if its `retryOn` names it.
   */
  inProgressStatus?: 409 | 425 | 429 | 503;
  /** The effect has happened and the answer goes out, but it could not be stored. */
  onStoreError?: (error: unknown) => void;
}

export const DEFAULT_LOCK_SECONDS = 900;

export function logStoreError(error: unknown): void {
  // eslint-disable-next-line no-console -- this runs in the target's process, which has told us no better place
  console.error('perdure: the answer went out but could not be stored; a retry may repeat the effect', error);
}

/** Not kept: the caller's next try is meant to run, not to be told the same again. */
export function isTransient(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

export function isKey(key: string | null | undefined): key is string {
  return typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key);
}

const NOT_REPLAYED = new Set(['connection', 'content-length', 'date', 'keep-alive', 'set-cookie', 'transfer-encoding']);

export function replayableHeaders(headers: Iterable<[string, string]>): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !NOT_REPLAYED.has(name.toLowerCase())));
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
