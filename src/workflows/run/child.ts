// A step that is a run of another workflow: a child with a row, a page in the Web UI and a history of its own.
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowFailure,
  executeChild,
  isCancellation,
  proxyActivities,
  sleep,
} from '@temporalio/workflow';

import type { Activities } from '../../activities/index.ts';
import { type ChildPlace, type RunInput, type StepEnd, WORKFLOW_RUN } from '../../contract/run.ts';
import type { StepDefinition } from '../../language/definition.ts';
import type { StepWork } from '../../language/step-program.ts';
import type { RunContext } from './context.ts';
import { type Ended, endOfError } from './ends.ts';

const FIRST_LOOK_MS = 1_000;
const MAX_LOOK_MS = 600_000;

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
    const isOurs = await execute(made.childId, `${made.workflow} v${made.version}`);
    return await endOf(place, isOurs);
  } catch (error) {
    return endOfError(error);
  } finally {
    run.children -= 1;
  }
}

/** One that was started by someone else cannot be waited for: its row is read again and again. */
async function endOf(place: ChildPlace, isOurs: boolean): Promise<StepEnd> {
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(2 * pauseMs, MAX_LOOK_MS)) {
    const ended = await endChild({ ...place, mayRun: !isOurs });
    if (ended !== null) return ended;
    await sleep(pauseMs);
  }
}

/** However it ends: what became of the run is in its row. False when its workflow was there before. */
async function execute(childId: string, staticSummary: string): Promise<boolean> {
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
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    // Canceled alone it is a step that failed; canceled with its parent it takes the parent's way.
    const isOnlyItsOwn = !CancellationScope.current().consideredCancelled;
    if (error instanceof ChildWorkflowFailure && (isOnlyItsOwn || !isCancellation(error))) return true;
    throw error;
  }
}
