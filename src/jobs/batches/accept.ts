// Accepts a batch: its row, its items and its key in one transaction, all or nothing.
import { currentTime } from '../../clock.ts';
import {
  insertBatch,
  insertItemDependencies,
  insertItems,
  type NewBatch,
  type NewItem,
  sentItems,
} from '../../db/batches.ts';
import { lockParents, type Parent } from '../../db/dependencies.ts';
import { findKey, insertKey, type KeyRow } from '../../db/idempotency-keys.ts';
import { type Database, type Queryable, StoreUnavailableError } from '../../db/pool.ts';
import { reach } from '../../failpoint.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { IdempotencyKey } from '../accept.ts';
import type { Sealer } from '../secrets/sealer.ts';
import type { Starter } from '../start.ts';
import type { ViewOptions } from '../view.ts';
import { type BatchSubmission, type ItemRows, newBatch } from './new-batch.ts';
import type { BatchStarter } from './start.ts';
import { newBatchView } from './view.ts';

/** A lost answer to COMMIT looks like a failure: the ids are chosen, so the transaction may safely run again. */
const STORE_TRIES = 3;
/** One statement stays far below the time a statement may take; others are served before the rows of the next are made. */
const ITEMS_PER_STATEMENT = 1_000;

export interface UnknownParent {
  item: number;
  position: number;
  id: string;
}

export type BatchAcceptance =
  | { kind: 'created'; id: string; answer: string }
  | { kind: 'replayed'; id: string; answer: string }
  | { kind: 'keyReused' }
  | { kind: 'unknownParents'; parents: UnknownParent[] };

export interface AcceptBatchDeps {
  db: Database;
  starter: Starter;
  batchStarter: BatchStarter;
  metrics: Metrics;
  sealer: Sealer;
  log: Logger;
  view: ViewOptions;
}

export type AcceptBatch = ReturnType<typeof createAcceptBatch>;

export function createAcceptBatch({ db, starter, batchStarter, metrics, sealer, log, view }: AcceptBatchDeps) {
  return async function acceptBatch(
    submission: BatchSubmission,
    from: { tenant: string; traceParent: string | null },
    key: IdempotencyKey | null = null,
  ): Promise<BatchAcceptance> {
    const { items } = submission;
    const { batch, rows } = newBatch(submission, { ...from, sealer, now: currentTime() });
    const answer = JSON.stringify(newBatchView(batch, view));
    const accepted = await insertDurably(db, { batch, items, rows }, key, answer);
    if (accepted.kind === 'created') {
      reach('batch.committed');
      metrics.accepted.inc({ tenant: metrics.tenantLabel(from.tenant), source: 'batch' }, items.length);
      const all = rows(0, batch.total);
      if (all.some(({ carrier }) => carrier !== null)) startSoon(batch);
      // A job that waits for others is started by the last of them.
      for (const row of all) {
        if (row.carrier === null && row.spec.dependsOn.length === 0) starter.startSoon(row);
      }
    } else if (accepted.kind !== 'unknownParents') {
      metrics.duplicates.inc({ kind: accepted.kind });
    }
    return accepted;
  };

  function startSoon(batch: NewBatch): void {
    void batchStarter.start(batch).catch((error: unknown) => {
      log.warn({ batchId: batch.id, err: error }, 'batch not started; the relay will');
    });
  }
}

interface Made {
  batch: NewBatch;
  items: BatchSubmission['items'];
  rows: ItemRows;
}

async function insertDurably(
  db: Database,
  made: Made,
  key: IdempotencyKey | null,
  answer: string,
): Promise<BatchAcceptance> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction((tx) => insertOnce(tx, made, key, answer));
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || attempt === STORE_TRIES) throw error;
    }
  }
}

async function insertOnce(
  tx: Queryable,
  { batch, items, rows }: Made,
  key: IdempotencyKey | null,
  answer: string,
): Promise<BatchAcceptance> {
  const known = key && (await findKey(tx, batch.tenant, key));
  if (key && known) return replay(batch, key, known);
  const parents = await parentsOf(tx, batch.tenant, items);
  const unknown = unknownParents(items, parents);
  if (unknown.length > 0) return { kind: 'unknownParents', parents: unknown };
  // Waits for a concurrent request with the same key.
  if (key && !(await insertKey(tx, batch.tenant, batch.id, { ...key, answer }))) {
    const taken = await findKey(tx, batch.tenant, key);
    if (!taken) throw new StoreUnavailableError('the idempotency key was removed while it was read');
    return replay(batch, key, taken);
  }
  if (await insertBatch(tx, batch)) await insertAll(tx, batch, rows, parents);
  reach('batch.uncommitted');
  return { kind: 'created', id: batch.id, answer };
}

async function insertAll(tx: Queryable, batch: NewBatch, rows: ItemRows, parents: Parent[]): Promise<void> {
  let inserting = Promise.resolve();
  for (let at = 0; at < batch.total; at += ITEMS_PER_STATEMENT) {
    const some = rows(at, at + ITEMS_PER_STATEMENT);
    const next = sentItems(batch, parents.length > 0 ? some.map((item) => withParents(item, parents)) : some);
    await inserting;
    inserting = insertItems(tx, next);
  }
  await inserting;
  const edges = rows(0, batch.total).flatMap(({ id, spec }) => spec.dependsOn.map((parentId) => ({ id, parentId })));
  if (edges.length > 0) await insertItemDependencies(tx, edges);
}

function replay(batch: NewBatch, key: IdempotencyKey, known: KeyRow): BatchAcceptance {
  const { fingerprint, resourceId: id, answer } = known;
  if (id === batch.id) return { kind: 'created', id, answer };
  return fingerprint === key.fingerprint ? { kind: 'replayed', id, answer } : { kind: 'keyReused' };
}

async function parentsOf(tx: Queryable, tenant: string, items: Made['items']): Promise<Parent[]> {
  const ids = [...new Set(items.flatMap(({ spec }) => spec.dependsOn))];
  return ids.length > 0 ? lockParents(tx, tenant, ids) : [];
}

function unknownParents(items: Made['items'], parents: Parent[]): UnknownParent[] {
  const known = new Set(parents.map(({ id }) => id));
  return items.flatMap(({ spec }, item) =>
    spec.dependsOn.flatMap((id, position) => (known.has(id) ? [] : [{ item, position, id }])),
  );
}

/** Of all parents of the batch only the item's own count. */
function withParents(item: NewItem, parents: Parent[]): NewItem {
  const own = parents.filter(({ id }) => item.spec.dependsOn.includes(id));
  const ready = own.every(({ status }) => status === 'succeeded');
  return ready ? item : { ...item, status: 'blocked', checkAt: null };
}
