// Undoes what succeeded before a failure: one step after the other, last completed first, none left out for another.
import { workflowInfo } from '@temporalio/workflow';

import { runError, type StepEnd } from '../../contract/run.ts';
import { compensationOrder } from '../../language/progress.ts';
import { compileStep } from '../../language/step-program.ts';
import { callCompensation } from './call.ts';
import { definedStep, type RunContext, scopeOf } from './context.ts';
import { type Ended, endOfError } from './ends.ts';
import { hasNews, type Inbox, listen, whileListening } from './news.ts';
import { compensationReferences } from './references.ts';
import { waitForTurn } from './rest.ts';

/** False when the history is long enough: the next execution goes on with what is left. */
export async function compensate(run: RunContext, inbox: Inbox): Promise<boolean> {
  run.isStopping = () => workflowInfo().continueAsNewSuggested;
  return whileListening(run, inbox, () => undoEach(run, inbox));
}

async function undoEach(run: RunContext, inbox: Inbox): Promise<boolean> {
  for (const id of compensationOrder(run.definition, run.states, run.completed)) {
    if (hasNews(run, inbox)) await listen(run, inbox);
    if (!(await waitForTurn(run, 0))) return false;
    const ended = await undo(run, id);
    if (ended.status === 'interrupted') {
      run.timers.set(ended.timer, ended.atMs);
      return false;
    }
    // Tried once, whatever came of it.
    run.completed = run.completed.filter((one) => one !== id);
    note(run, id, ended);
  }
  return true;
}

function note(run: RunContext, id: string, ended: StepEnd): void {
  if (ended.status === 'succeeded') {
    run.states.set(id, { status: 'compensated' });
    run.recorder.note({ id, status: 'compensated' });
    return;
  }
  const detail = ended.status === 'failed' ? (ended.error?.title ?? ended.errorCode) : null;
  run.recorder.note({
    ...{ id, status: 'succeeded' },
    error: runError('compensationFailed', 'The step could not be undone', detail),
  });
}

async function undo(run: RunContext, id: string): Promise<Ended> {
  const step = definedStep(run, id);
  try {
    const { compensation } = compileStep(step);
    const scope = await scopeOf(run, compensationReferences(step));
    if (compensation === null) throw new TypeError(`step ${id} says nothing of how to undo it`);
    return await callCompensation(run, step, compensation(scope));
  } catch (error) {
    return endOfError(error);
  }
}
