// One batch: its lanes side by side until they are empty. What they do, and all that others read, is in PostgreSQL.
import { CancellationScope, continueAsNew, isCancellation, proxyActivities, workflowInfo } from '@temporalio/workflow';

import type { Activities } from '../activities/index.ts';
import { type BatchInput, carrierOf } from '../contract/temporal.ts';

const { runLane } = proxyActivities<Activities>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '500ms', maximumInterval: '10s' },
});
const { cancelBatchItems } = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
  retry: { maximumInterval: '10s' },
});

export async function runBatch(input: BatchInput): Promise<void> {
  const { batchId, tenant, lanes } = input;
  try {
    const left = await Promise.all(lanes.map((concurrency, lane) => emptyLane(batchId, lane, concurrency)));
    if (left.some(Boolean)) await continueAsNew<typeof runBatch>(input);
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => cancelBatchItems({ tenant, batchId }));
    throw error;
  }
}

/** True when items are left and the history has become too long to go on with. */
async function emptyLane(batchId: string, lane: number, concurrency: number): Promise<boolean> {
  for (;;) {
    const { more } = await runLane({ carrier: carrierOf(workflowInfo().workflowId, lane), concurrency, batchId });
    if (!more || workflowInfo().continueAsNewSuggested) return more;
  }
}
