// Redrives many dead letters in the background: the list is fixed when it is accepted, the pace and the stop are the user's.
import type { Client } from '@temporalio/client';

import { BULK_REDRIVE } from '../contract/temporal.ts';
import {
  type BulkRow,
  finishBulk,
  insertBulk,
  nextBulkItems,
  recordBulkItem,
  runningBulks,
} from '../db/bulk-operations.ts';
import type { Database } from '../db/pool.ts';
import type { IdempotencyKey } from './accept.ts';
import { newId } from './ids.ts';
import { ofTenant } from './of-tenant.ts';
import { type MadeOnce, once } from './once.ts';
import type { RedriveLetter } from './runs/redrive-letter.ts';
import type { Sealer } from './secrets/sealer.ts';

export interface BulkRequest {
  ids: string[] | null;
  filters: Record<string, string[]> | null;
  patch: unknown;
  maxPerSecond: number;
}

export async function createBulk(
  db: Database,
  tenant: string,
  request: BulkRequest,
  key: IdempotencyKey | null,
  renderAnswer: (bulk: BulkRow) => string,
): Promise<MadeOnce> {
  return once(db, tenant, key, async (tx) => {
    const bulk = await insertBulk(tx, { id: newId('bulk'), tenant, request });
    return { id: bulk.id, answer: renderAnswer(bulk) };
  });
}

export async function startBulk(
  client: Client,
  taskQueue: string,
  { id, tenant }: { id: string; tenant: string },
): Promise<void> {
  await client.withDeadline(Date.now() + 5_000, () =>
    client.workflow.start(BULK_REDRIVE, {
      workflowId: id,
      taskQueue,
      args: [{ bulkId: id }],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      ...ofTenant(tenant),
      staticSummary: 'Redrive of dead letters',
    }),
  );
}

/** Operations whose workflow was not started; starting again is harmless. */
export async function restartBulks(db: Database, client: Client, taskQueue: string): Promise<void> {
  for (const bulk of await runningBulks(db)) await startBulk(client, taskQueue, bulk);
}

/** Redrives about one second's worth; `waitMs` keeps the pace. */
export async function redriveChunk(
  db: Database,
  { redriveLetter: redrive, sealer }: { redriveLetter: RedriveLetter; sealer: Sealer },
  bulkId: string,
): Promise<{ more: boolean; waitMs: number }> {
  const startedAt = performance.now();
  const chunk = await nextBulkItems(db, bulkId);
  if (!chunk) return { more: false, waitMs: 0 };
  const patch = sealer.openPatch(chunk.tenant, chunk.patch);
  for (const { position, deadLetterId } of chunk.items) {
    const redriven = await redrive(chunk.tenant, deadLetterId, { patch, newKey: false });
    const outcome = redriven.kind === 'created' ? 'done' : redriven.kind === 'alreadyRedriven' ? 'skipped' : 'failed';
    await recordBulkItem(db, bulkId, position, outcome);
  }
  if (chunk.items.length > 0) return { more: true, waitMs: Math.max(0, 1_000 - (performance.now() - startedAt)) };
  await finishBulk(db, bulkId);
  return { more: false, waitMs: 0 };
}
