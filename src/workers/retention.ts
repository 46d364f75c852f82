// Removes what is older than it is to be kept: in small portions, by one worker at a time, nine tenths of the time idle.
import { setTimeout as sleep } from 'node:timers/promises';

import { currentMs } from '../clock.ts';
import { removeEvents } from '../db/events.ts';
import type { Database, Queryable } from '../db/pool.ts';
import {
  BEGINNING,
  type Place,
  type Portion,
  removeBatches,
  removeJobs,
  removeKeys,
  removeRuns,
  removeSimple,
  takeRetentionTurn,
} from '../db/retention.ts';
import type { Settings } from '../jobs/settings/settings.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { repeat } from './repeat.ts';

const ROUND_EVERY_MS = 60_000;
const PORTION = 250;
const LEAST_PAUSE_MS = 20;
/** Pauses are so many times as long as the work before them. */
const IDLE_SHARE = 9;
/** A key is promised for so long, even where its job is not. */
const LEAST_KEY_AGE_MS = 30 * 86_400_000;

export interface RetentionDeps {
  db: Database;
  settings: Settings;
  metrics: Metrics;
  log: Logger;
  eventRetentionMs: number;
  auditRetentionMs: number;
}

/** What is removed together, and where to go on. */
type Remove = (tx: Queryable, from: Place) => Promise<Portion>;

export function createRetention(deps: RetentionDeps): { stop(): Promise<void>; nudge(): void } {
  const { settings, log } = deps;
  const stopped = new AbortController();
  const round = async (): Promise<boolean> => {
    for (const remove of stepsOf(deps)) if (!(await removeAll(deps, remove, stopped.signal))) break;
    return false;
  };
  const loop = repeat(ROUND_EVERY_MS, round, (error) => log.warn({ err: error }, 'retention'));
  let { retention } = settings.current();
  settings.onChange((now) => {
    if (now.retention !== retention) loop.nudge();
    retention = now.retention;
  });
  return {
    nudge: loop.nudge,
    async stop() {
      stopped.abort();
      await loop.stop();
    },
  };
}

/** Runs before their calls' siblings, batches after their items, keys after what they made. */
function stepsOf({ settings, eventRetentionMs, auditRetentionMs }: RetentionDeps): Remove[] {
  const ago = (ms: number) => new Date(currentMs() - ms);
  const { retentionMs } = settings.current();
  const old = ago(retentionMs);
  const simple = (table: Parameters<typeof removeSimple>[1], before: Date) => async (tx: Queryable) =>
    counted(table, await removeSimple(tx, table, before, PORTION));
  return [
    async (tx) => counted('events', await removeEvents(tx, ago(eventRetentionMs), PORTION)),
    (tx, from) => removeRuns(tx, old, from, PORTION),
    (tx, from) => removeJobs(tx, old, from, PORTION),
    (tx, from) => removeBatches(tx, old, from, PORTION),
    (tx, from) => removeKeys(tx, ago(Math.max(retentionMs, LEAST_KEY_AGE_MS)), from, PORTION),
    simple('ticks', old),
    simple('notifications', old),
    simple('bulk_operations', old),
    simple('audit_log', ago(auditRetentionMs)),
  ];
}

function counted(table: string, removed: number): Portion {
  return { removed: { [table]: removed }, next: removed > 0 ? BEGINNING : null };
}

/** False when it is another worker's turn, or time to stop. */
async function removeAll({ db, metrics }: RetentionDeps, remove: Remove, signal: AbortSignal): Promise<boolean> {
  for (let from: Place | null = BEGINNING; from !== null;) {
    const startedAt = performance.now();
    const place: Place = from;
    const done: Portion | null = await db.transaction(async (tx) =>
      (await takeRetentionTurn(tx)) ? remove(tx, place) : null,
    );
    if (done === null || signal.aborted) return false;
    for (const [table, count] of Object.entries(done.removed)) metrics.retentionRemoved.inc({ table }, count);
    from = done.next;
    const pauseMs = Math.max(LEAST_PAUSE_MS, IDLE_SHARE * (performance.now() - startedAt));
    if (from !== null) await sleep(pauseMs, null, { signal }).catch(() => null);
  }
  return !signal.aborted;
}
