// Redrives dead letters chunk by chunk, no faster than asked; an abort is a row that the next chunk reads.
import { continueAsNew, proxyActivities, sleep, workflowInfo } from '@temporalio/workflow';

import type { Activities } from '../activities/index.ts';

const { redriveChunk } = proxyActivities<Activities>({
  startToCloseTimeout: '2 minutes',
  retry: { maximumInterval: '30s' },
});

export async function bulkRedrive({ bulkId }: { bulkId: string }): Promise<void> {
  for (;;) {
    const { more, waitMs } = await redriveChunk({ bulkId });
    if (!more) return;
    if (waitMs > 0) await sleep(waitMs);
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof bulkRedrive>({ bulkId });
  }
}
