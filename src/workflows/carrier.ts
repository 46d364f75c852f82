// One carrier of the shared lane: makes the first attempts of the jobs that ride in it. All else is in PostgreSQL.
import { proxyActivities, workflowInfo } from '@temporalio/workflow';

import type { Activities } from '../activities/index.ts';
import { type CarrierInput, carrierOf } from '../contract/temporal.ts';

const { runLane } = proxyActivities<Activities>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '500ms', maximumInterval: '10s' },
});

/** Ended from outside, it takes nobody along: the relay gives those who have not ended a workflow of their own. */
export async function runCarrier({ concurrency, ...open }: CarrierInput): Promise<void> {
  const carrier = carrierOf(workflowInfo().workflowId, 0);
  let more = true;
  while (more) ({ more } = await runLane({ carrier, concurrency, batchId: null, open }));
}
