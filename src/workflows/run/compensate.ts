// Undoes what succeeded before a failure: one step after the other, last completed first, none left out for another.
import { runError } from '../../contract/run.ts';
import { compensationOrder } from '../../language/progress.ts';
import { compileStep } from '../../language/step-program.ts';
import { callCompensation } from './call.ts';
import { definedStep, type RunContext, scopeOf } from './context.ts';
import { type Ended, endOfError } from './ends.ts';
import { compensationReferences } from './references.ts';

export async function compensate(run: RunContext): Promise<void> {
  for (const id of compensationOrder(run.definition, run.states, run.completed)) {
    const ended = await undo(run, id);
    if (ended.status === 'succeeded') {
      run.states.set(id, { status: 'compensated' });
      run.recorder.note({ id, status: 'compensated' });
      continue;
    }
    const detail = ended.status === 'failed' ? (ended.error?.title ?? ended.errorCode) : null;
    run.recorder.note({
      ...{ id, status: 'succeeded' },
      error: runError('compensationFailed', 'The step could not be undone', detail),
    });
  }
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
