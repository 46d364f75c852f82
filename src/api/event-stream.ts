// One stream of server-sent events: written as fast as its reader takes them, kept alive, and never longer than an hour.
import type { Response } from 'express';

import type { EventPosition } from '../db/events.ts';
import type { EventHub } from '../jobs/events/hub.ts';
import { eventId, type EventView, eventView } from '../jobs/events/view.ts';

const HEARTBEAT_EVERY_MS = 15_000;
/** A reader that takes nothing for so long is gone; it may come back and go on. */
const STALLED_AFTER_MS = 30_000;
/** Then it comes back with its token, which may have been revoked. */
const MAX_AGE_MS = 3_600_000;
const RETRY_AFTER_MS = 1_000;

export interface EventStream {
  tenant: string;
  after: EventPosition;
  matches: (event: EventView) => boolean;
}

/** Resolves when the stream has ended, whoever ended it. */
export async function streamEvents(hub: EventHub, response: Response, stream: EventStream): Promise<void> {
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  const signal = AbortSignal.any([closed.signal, hub.closing, AbortSignal.timeout(MAX_AGE_MS)]);
  let position = stream.after;
  // Proxies would wait for more.
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  response.write(`retry: ${RETRY_AFTER_MS}\n\n`);
  // The id moves on although nothing matched: who comes back later need not read all that again.
  const beat = () => response.writableNeedDrain || response.write(`: alive\nid: ${eventId(position)}\n\n`);
  const heartbeat = setInterval(beat, HEARTBEAT_EVERY_MS);
  try {
    while (!signal.aborted) {
      const page = await hub.read(stream.tenant, position);
      const text = page.events.map(eventView).filter(stream.matches).map(toText).join('');
      position = page.position;
      if (text !== '' && !response.write(text) && !(await isDrained(response, signal))) return;
      if (!page.more) await hub.changed(signal);
    }
  } finally {
    clearInterval(heartbeat);
    if (response.writableNeedDrain) response.destroy();
    else response.end();
  }
}

function toText(event: EventView): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function isDrained(response: Response, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (drained: boolean) => () => {
      clearTimeout(timer);
      response.off('drain', onDrain);
      signal.removeEventListener('abort', onAbort);
      resolve(drained);
    };
    const onDrain = settle(true);
    const onAbort = settle(false);
    const timer = setTimeout(settle(false), STALLED_AFTER_MS);
    response.once('drain', onDrain);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
