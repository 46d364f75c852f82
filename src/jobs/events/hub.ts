// All streams of events of this process: one question to PostgreSQL for all of them, and none while nobody listens.
//
// Each stream reads at its own pace: what just happened from memory, what happened earlier (it resumed, or is slow)
// from the table. So no stream has a queue of its own, and a slow one costs nobody anything.
import {
  type EventPosition,
  type EventRow,
  eventsRemovedUntil,
  lastEventRow,
  noteGoneWorkers,
  openTransactions,
  readEvents,
} from '../../db/events.ts';
import type { Database } from '../../db/pool.ts';
import type { Logger } from '../../telemetry/log.ts';
import { createSafePoint } from './safe-point.ts';

const POLL_EVERY_MS = 200;
/** At first, until it is known what is safe to read. */
const FIRST_POLLS_EVERY_MS = 20;
const NOTE_GONE_EVERY_MS = 5_000;
const KEPT = 5_000;
const PAGE = 1_000;
/** A transaction that is open for longer is not ours: a new stream does not wait for it. */
const OPENING_PATIENCE_MS = 1_000;
const END_OF_ROW = 2 ** 31 - 1;

export interface EventPage {
  events: EventRow[];
  position: EventPosition;
  /** There is more to read at once. */
  more: boolean;
}

export interface EventHub {
  /** From now on events are read. Resolves to where a new stream begins: all that happened before has happened. */
  join(): Promise<EventPosition>;
  leave(): void;
  /** Whether all that happened after `position` is still there to be read. */
  isKept(position: EventPosition): Promise<boolean>;
  /** What happened to this tenant after `position`. */
  read(tenant: string, position: EventPosition): Promise<EventPage>;
  /** Resolves when there may be more, or when `signal` aborts. */
  changed(signal: AbortSignal): Promise<void>;
  /** Aborts when the process is about to end. */
  closing: AbortSignal;
  close(): void;
}

export function createEventHub({ db, log }: { db: Database; log: Logger }): EventHub {
  const closing = new AbortController();
  const waiting = new Set<() => void>();
  const safe = createSafePoint();
  let listeners = 0;
  let timer: NodeJS.Timeout | undefined;
  let notedGoneAtMs = 0;
  /** The newest events of all tenants, from `keptAfter` (exclusive) to `readUntil`. */
  let kept: EventRow[] = [];
  let keptAfter: EventPosition = { row: 0, place: 0 };
  let readUntil: EventPosition | null = null;

  const wake = () => {
    for (const resolve of waiting) resolve();
    waiting.clear();
  };

  const advance = async (): Promise<void> => {
    const last = await lastEventRow(db);
    if (safe.isNews(last)) safe.note(last, await openTransactions(db));
    const until = safe.row();
    if (until === null) return;
    if (readUntil === null) {
      readUntil = keptAfter = { row: until, place: END_OF_ROW };
      return wake();
    }
    if (until <= readUntil.row) return;
    for (;;) {
      const events = await readEvents(db, { after: readUntil, until, tenant: null, limit: PAGE });
      const newest = events.at(-1);
      if (!newest) break;
      kept.push(...events);
      readUntil = { row: newest.row, place: newest.place };
    }
    readUntil = { row: until, place: END_OF_ROW };
    const tooMany = kept.length - KEPT;
    const oldest = tooMany > 0 ? kept[tooMany - 1] : undefined;
    if (oldest) {
      keptAfter = { row: oldest.row, place: oldest.place };
      kept = kept.slice(tooMany);
    }
    wake();
  };

  const poll = async (): Promise<void> => {
    try {
      if (Date.now() - notedGoneAtMs > NOTE_GONE_EVERY_MS) {
        notedGoneAtMs = Date.now();
        await noteGoneWorkers(db);
      }
      await advance();
    } catch (error) {
      log.warn({ err: error }, 'events');
    }
    if (listeners === 0 || closing.signal.aborted) return stop();
    timer = setTimeout(() => void poll(), readUntil === null ? FIRST_POLLS_EVERY_MS : POLL_EVERY_MS);
  };

  const stop = () => {
    clearTimeout(timer);
    timer = undefined;
    safe.forget();
    kept = [];
    readUntil = null;
  };

  const changed = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        waiting.delete(done);
        resolve();
      };
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', done, { once: true });
      waiting.add(done);
    });

  return {
    async join() {
      listeners += 1;
      const last = await db.asService(() => lastEventRow(db));
      // Whoever asked first may be a tenant: the questions are the service's own.
      timer ??= db.asService(() => setTimeout(() => void poll(), 0));
      const endsAt = performance.now() + OPENING_PATIENCE_MS;
      const patience = AbortSignal.any([AbortSignal.timeout(OPENING_PATIENCE_MS), closing.signal]);
      while ((safe.row() ?? -1) < last && performance.now() < endsAt && !patience.aborted) await changed(patience);
      return { row: last, place: END_OF_ROW };
    },

    leave() {
      listeners -= 1;
    },

    isKept: ({ row }) =>
      db.asService(async () => {
        const removedUntil = await eventsRemovedUntil(db);
        return row >= removedUntil && row <= (await lastEventRow(db));
      }),

    async read(tenant, position) {
      if (readUntil === null) return { events: [], position, more: false };
      const until = readUntil;
      if (!isBefore(position, until)) return { events: [], position, more: false };
      if (!isBefore(position, keptAfter)) {
        const unread = kept.slice(firstAfter(kept, position));
        return { events: unread.filter((event) => (event.tenant ?? tenant) === tenant), position: until, more: false };
      }
      const range = { after: position, until: until.row, tenant, limit: PAGE };
      const events = await db.asService(() => readEvents(db, range));
      const newest = events.at(-1);
      return newest
        ? { events, position: { row: newest.row, place: newest.place }, more: true }
        : { events, position: until, more: false };
    },

    changed,
    closing: closing.signal,
    close() {
      closing.abort();
      wake();
    },
  };
}

/** Where in `events`, which are in order, the first stands that is after `position`. */
function firstAfter(events: EventPosition[], position: EventPosition): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const event = events[middle];
    if (event && isBefore(position, event)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function isBefore(a: EventPosition, b: EventPosition): boolean {
  return a.row < b.row || (a.row === b.row && a.place < b.place);
}
