// Reads a stream of server-sent events, as the HTML standard parses them.

export interface ServerSentEvent {
  id: string | null;
  data: string;
  retryMs: number | null;
}

/** `onChunk` hears of everything that arrives, comments too: they are the proof of life. */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
  onChunk: () => void,
): AsyncGenerator<ServerSentEvent> {
  let event: ServerSentEvent = { id: null, data: '', retryMs: null };
  for await (const line of readLines(body, onChunk)) {
    if (line === '') {
      const saysAnything = event.data !== '' || event.id !== null || event.retryMs !== null;
      if (saysAnything) yield { ...event, data: event.data.slice(0, -1) };
      event = { id: null, data: '', retryMs: null };
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') event.data += `${value}\n`;
    if (field === 'id' && !value.includes('\0')) event.id = value;
    if (field === 'retry' && /^\d+$/.test(value)) event.retryMs = Number(value);
  }
}

async function* readLines(body: ReadableStream<Uint8Array>, onChunk: () => void): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onChunk();
      rest += decoder.decode(value, { stream: true });
      // A carriage return at the very end may be half of a line break.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
