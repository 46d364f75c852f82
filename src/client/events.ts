// The stream of events as an async iterator that survives broken connections: it resumes after the last event it saw.
import { PerdureError } from './errors.ts';
import type { Query } from './query.ts';
import { createDeadline, sleep } from './sleep.ts';
import { readServerSentEvents } from './sse.ts';
import type { Transport } from './transport.ts';
import type { EventFilter, EventOptions, PerdureEvent } from './types.ts';

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;

export async function* followEvents(
  transport: Transport,
  filter: EventFilter = {},
  options: EventOptions = {},
): AsyncGenerator<PerdureEvent, void, undefined> {
  const { signal, idleTimeoutMs = 90_000 } = options;
  let lastEventId = options.lastEventId;
  let firstDelayMs = FIRST_DELAY_MS;
  let failures = 0;
  for (;;) {
    const deadline = createDeadline(idleTimeoutMs, signal);
    let retryAfterMs: number | null = null;
    try {
      const headers = { accept: 'text/event-stream', ...(lastEventId && { 'last-event-id': lastEventId }) };
      const call = { method: 'GET', path: '/v1/events', query: { ...filter } as Query, headers } as const;
      const response = await transport.open(call, deadline, signal);
      if (!response.body) {
        throw new PerdureError({ status: response.status, code: 'badAnswer', title: 'No event stream' });
      }
      for await (const event of readServerSentEvents(response.body, deadline.extend)) {
        failures = 0;
        firstDelayMs = event.retryMs ?? firstDelayMs;
        // Before it is handed out: who breaks off there has seen it. Without data it says how far nothing matched.
        lastEventId = event.id ?? lastEventId;
        if (event.data !== '') {
          const parsed = JSON.parse(event.data) as PerdureEvent;
          deadline.stopClock();
          yield parsed;
          deadline.extend();
        }
      }
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (isRefusal(error)) throw error;
      retryAfterMs = error instanceof PerdureError ? error.retryAfterMs : null;
    } finally {
      deadline.close();
    }
    const delayMs = Math.min(MAX_DELAY_MS, firstDelayMs * 2 ** failures) * (0.5 + Math.random() / 2);
    failures++;
    await sleep(retryAfterMs ?? delayMs, signal);
  }
}

// What will be refused again is the caller's to know; all else is a connection to open again.
function isRefusal(error: unknown): boolean {
  if (error instanceof SyntaxError) return true;
  if (!(error instanceof PerdureError)) return false;
  return error.code === 'badAnswer' || (error.status >= 300 && error.status < 500 && error.status !== 429);
}
