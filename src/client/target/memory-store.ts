// Keys of one process, for tests and single instances: a restart forgets them.
import type { IdempotencyStore, StoredAnswer } from './store.ts';

interface Entry {
  token: string;
  lockedUntilMs: number;
  answer: StoredAnswer | null;
}

export function createMemoryStore({ maxEntries = 10_000 }: { maxEntries?: number } = {}): IdempotencyStore {
  const entries = new Map<string, Entry>();

  // A Map keeps the order of insertion. Only answers may go: a key in progress is a promise not to run it twice.
  function evictOldest(): void {
    if (entries.size <= maxEntries) return;
    for (const [key, entry] of entries) {
      if (entry.answer) return void entries.delete(key);
    }
  }

  return {
    async begin(key, lockSeconds) {
      const entry = entries.get(key);
      if (entry?.answer) return { state: 'done', answer: entry.answer };
      const restMs = (entry?.lockedUntilMs ?? 0) - Date.now();
      if (restMs > 0) return { state: 'inProgress', retryAfterSeconds: 1 };
      const token = crypto.randomUUID();
      entries.set(key, { token, lockedUntilMs: Date.now() + lockSeconds * 1000, answer: null });
      evictOldest();
      return { state: 'new', token };
    },
    async complete(key, token, answer) {
      const entry = entries.get(key);
      if (entry?.token === token) entry.answer = answer;
    },
    async release(key, token) {
      if (entries.get(key)?.token === token) entries.delete(key);
    },
  };
}
