// Waiting that an AbortSignal ends, without timers left behind.

export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

export interface Deadline {
  signal: AbortSignal;
  expired: () => boolean;
  /** Starts the time anew. */
  extend: () => void;
  /** Lets the caller's signal still end it, but no longer the time. */
  stopClock: () => void;
  close: () => void;
}

/** One signal for "the caller gave up" and "it took too long"; `close` takes the listener off a signal that lives long. */
export function createDeadline(ms: number, outer?: AbortSignal): Deadline {
  const controller = new AbortController();
  let expired = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const abort = () => controller.abort(outer?.reason);
  const stopClock = () => clearTimeout(timer);
  const extend = () => {
    stopClock();
    timer = setTimeout(() => {
      expired = true;
      controller.abort();
    }, ms);
  };
  if (outer?.aborted) abort();
  else outer?.addEventListener('abort', abort, { once: true });
  extend();
  const close = () => {
    stopClock();
    outer?.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, expired: () => expired, extend, stopClock, close };
}
