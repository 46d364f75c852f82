// The relay's starts: what was accepted and is not known to be started, at the pace at which workers take it.
//
// What waits in Temporal's queue can be late there; what waits in PostgreSQL costs nothing, and tenants take turns.
import { setTimeout as sleep } from 'node:timers/promises';

import type { Client } from '@temporalio/client';

import type { JobRow } from '../db/jobs.ts';
import type { Database } from '../db/pool.ts';
import { takeDueStarts, waitingAmong } from '../db/relay.ts';
import { isTemporalUp } from './relay.ts';

/** Started, and not yet taken by a worker: enough that none is idle, and soon worked off also on a busy machine. */
const WAITING = 40;
/** … with those of tenants that have few there. */
const MOST_WAITING = 120;
const PACE_MS = 50;

export function createRelayStarts({
  db,
  client,
  start,
  onError,
}: {
  db: Database;
  client: Client;
  start: (job: JobRow) => Promise<void>;
  onError: (error: unknown) => void;
}) {
  /** Whose they are, by id: those that wait for a worker, as far as is known. */
  const waiting = new Map<string, string>();
  const starting = new Map<string, Promise<void>>();

  const forgetTaken = async () => {
    const ids = [...waiting.keys()].filter((id) => !starting.has(id));
    const still = new Set(ids.length > 0 ? await waitingAmong(db, ids) : []);
    for (const id of ids) if (!still.has(id)) waiting.delete(id);
  };

  const begin = (job: JobRow) => {
    waiting.set(job.id, job.tenant);
    const started = start(job)
      .catch(onError)
      .finally(() => starting.delete(job.id));
    starting.set(job.id, started);
  };

  return {
    async startDue(): Promise<boolean> {
      await forgetTaken();
      // What cannot be started leaves the line: an empty one says nothing about Temporal.
      if (waiting.size === 0 && !(await isTemporalUp(client))) return false;
      const held: Record<string, number> = {};
      for (const tenant of waiting.values()) held[tenant] = (held[tenant] ?? 0) + 1;
      const room = Math.max(0, WAITING - waiting.size);
      for (const job of await takeDueStarts(db, { room, most: MOST_WAITING - waiting.size, held })) begin(job);
      if (waiting.size === 0) return false;
      await sleep(PACE_MS);
      return true;
    },
    /** Waits for the starts under way. */
    async drain(): Promise<void> {
      await Promise.allSettled(starting.values());
    },
  };
}
