// Tells of items that fail inside the workflow, where neither a call nor a run could: else nobody would count them.
import { patched, proxyActivities } from '@temporalio/workflow';

import type { Activities } from '../../activities/index.ts';
import type { StepEnd } from '../../contract/run.ts';

const { failItem } = proxyActivities<Activities>({
  startToCloseTimeout: '30s',
  retry: { maximumInterval: '10s' },
  summary: 'note failed item',
});

/** Asked only where an item has failed, so that the histories of all others stay as they were. */
export function writesFailedItems(): boolean {
  return patched('failed-items-are-written');
}

export async function tellFailed(
  { runId }: { runId: string },
  { id: stepId }: { id: string },
  index: number,
  ended: StepEnd,
): Promise<StepEnd> {
  const { error } = ended;
  if (error !== undefined && writesFailedItems()) await failItem({ runId, stepId, index, error });
  return ended;
}
