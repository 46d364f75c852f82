// Starts the workflow of a batch; the relay does it again where this one does not arrive.
import type { Client } from '@temporalio/client';

import { RUN_BATCH } from '../../contract/temporal.ts';
import { markBatchSeen, type NewBatch } from '../../db/batches.ts';
import type { Database } from '../../db/pool.ts';
import { reach } from '../../failpoint.ts';
import { ofTenant } from '../of-tenant.ts';
import { batchInput } from './new-batch.ts';

export type StartableBatch = Pick<NewBatch, 'id' | 'tenant' | 'concurrency' | 'total'>;

export interface BatchStarter {
  /** Idempotent: the workflow's id is the batch's. */
  start(batch: StartableBatch): Promise<void>;
}

export function createBatchStarter(deps: { db: Database; client: Client; taskQueue: string }): BatchStarter {
  const { db, client, taskQueue } = deps;
  return {
    async start(batch) {
      await client.withDeadline(Date.now() + 5_000, () =>
        client.workflow.start(RUN_BATCH, {
          workflowId: batch.id,
          taskQueue,
          args: [batchInput(batch)],
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          workflowIdConflictPolicy: 'USE_EXISTING',
          ...ofTenant(batch.tenant),
          staticSummary: `${batch.total} jobs`,
        }),
      );
      reach('batch.started');
      await markBatchSeen(db, batch.id);
    },
  };
}
