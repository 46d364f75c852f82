// A step that is a run of another workflow: a child with a row, a page in the Web UI and a history of its own.
import { ChildWorkflowFailure, executeChild, isCancellation, proxyActivities } from '@temporalio/workflow';

import type { Activities } from '../../activities/index.ts';
import { type RunInput, WORKFLOW_RUN } from '../../contract/run.ts';
import type { StepDefinition } from '../../language/definition.ts';
import type { StepWork } from '../../language/step-program.ts';
import type { RunContext } from './context.ts';
import { type Ended, endOfError } from './ends.ts';

const { makeChild, endChild } = proxyActivities<Activities>({
  startToCloseTimeout: '30s',
  retry: { maximumInterval: '10s' },
});

export async function runChild(
  run: RunContext,
  { id: stepId }: StepDefinition,
  { name, version, input }: StepWork & { kind: 'workflow' },
  item: number | null,
): Promise<Ended> {
  const place = { runId: run.runId, stepId, item };
  run.children += 1;
  if (item === null) run.recorder.note({ id: stepId, status: 'running', startedAt: new Date().toISOString() });
  try {
    const made = await makeChild({ ...place, name, version, input });
    if (!('childId' in made)) return made;
    await execute(made.childId, `${made.workflow} v${made.version}`);
    return await endChild(place);
  } catch (error) {
    return endOfError(error);
  } finally {
    run.children -= 1;
  }
}

/** However it ends: what became of the run is in its row. */
async function execute(childId: string, staticSummary: string): Promise<void> {
  const input: RunInput = { runId: childId, runAtMs: null };
  try {
    await executeChild(WORKFLOW_RUN, {
      workflowId: childId,
      args: [input],
      staticSummary,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      parentClosePolicy: 'REQUEST_CANCEL',
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
    });
  } catch (error) {
    if (error instanceof ChildWorkflowFailure && !isCancellation(error)) return;
    throw error;
  }
}
