// One carrier of the shared lane: makes the first attempts of the jobs that ride in it. All else is in PostgreSQL.
import { proxyActivities, workflowInfo } from '@temporalio/workflow';

import type { Activities } from '../activities/index.ts';
import { type CarrierInput, carrierOf } from '../contract/temporal.ts';
import { attemptLocally } from './attempt-until-final.ts';

/** Also within the workflow task: while the store is away, who made the calls waits for it, or they would be made again. */
const LANE_MS = 10 * 60_000;

const { runLane } = proxyActivities<Activities>({
  startToCloseTimeout: LANE_MS,
  heartbeatTimeout: '10s',
  retry: { initialInterval: '500ms', maximumInterval: '10s' },
});

/** Ended from outside, it takes nobody along: the relay gives those who have not ended a workflow of their own. */
export async function runCarrier({ concurrency, firstLane = 'regular' }: CarrierInput): Promise<void> {
  const lane = { carrier: carrierOf(workflowInfo().workflowId, 0), concurrency, batchId: null };
  let more = true;
  if (firstLane === 'local') {
    const left = await attemptLocally(LANE_MS, undefined, (local) => local.runLane(lane));
    more = 'kind' in left || left.more;
  }
  while (more) ({ more } = await runLane(lane));
}
