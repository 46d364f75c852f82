// Sends an async iterable as NDJSON, and again from the start if the call is retried.

export interface Lines {
  /** A stream of all lines from the first, whatever was read before. */
  stream: () => ReadableStream<Uint8Array>;
  /** What the source threw, if it did: that, not the broken request, is the caller's error. */
  failure: () => { error: unknown } | null;
  close: () => Promise<void>;
}

// Lines are kept for a retry. The service takes at most 10 MiB of them, so they fit.
export function createLines(source: AsyncIterable<unknown>): Lines {
  const items = source[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  const sent: Promise<Uint8Array | null>[] = [];
  let failure: { error: unknown } | null = null;
  let ended = false;

  async function readNext(): Promise<Uint8Array | null> {
    try {
      const next: IteratorResult<unknown, unknown> = await items.next();
      if (!next.done) return encoder.encode(`${JSON.stringify(next.value)}\n`);
      ended = true;
      return null;
    } catch (error) {
      failure = { error };
      throw error;
    }
  }

  return {
    stream() {
      let at = 0;
      return new ReadableStream({
        async pull(controller) {
          // A line is asked for once, also when a broken try was still waiting for it.
          const line = await (sent[at++] ??= readNext());
          if (line === null) controller.close();
          else controller.enqueue(line);
        },
      });
    },
    failure: () => failure,
    close: async () => {
      if (!ended && !failure) await items.return?.();
    },
  };
}
