// A step from its start to its end: condition, items or work, and what its end means for the run.
import { MAX_RUN_OUTPUT_BYTES, runError, type StepEnd } from '../../contract/run.ts';
import { kindOf, type StepDefinition } from '../../language/definition.ts';
import type { SkippedStep } from '../../language/progress.ts';
import { compileStep } from '../../language/step-program.ts';
import { definedStep, isToldByItsJob, type RunContext, scopeOf } from './context.ts';
import { type Ended, endOfError, SKIPPED, tooLarge } from './ends.ts';
import { runItems } from './items.ts';
import { referencesOf } from './references.ts';
import { performWork } from './work.ts';

/** Its state is set before anything is awaited, so that it starts once. */
export async function runStep(run: RunContext, id: string): Promise<void> {
  const step = definedStep(run, id);
  const kind = kindOf(step);
  run.states.set(id, { status: kind === 'wait' || kind === 'waitFor' ? 'waiting' : 'running' });
  const ended = await perform(run, step);
  if (ended.status === 'interrupted') {
    run.timers.set(ended.timer, ended.atMs);
    run.states.delete(id);
    return;
  }
  endStep(run, step, withinLimit(run, ended));
}

export function skipStep(run: RunContext, { id, errorCode, because }: SkippedStep): void {
  const error =
    errorCode === null ? null : runError(errorCode, 'Something before this step failed', because && `Step ${because}.`);
  endStep(run, definedStep(run, id), { ...SKIPPED, errorCode, ...(error === null ? {} : { error }) });
}

async function perform(run: RunContext, step: StepDefinition): Promise<Ended> {
  try {
    const program = compileStep(step);
    const scope = await scopeOf(run, referencesOf(step));
    if (!program.shouldRun(scope)) return SKIPPED;
    const items = program.items(scope);
    if (items !== null) return await runItems(run, step, program, scope, items);
    return await performWork(run, step, program.work(scope), null);
  } catch (error) {
    return endOfError(error);
  }
}

function withinLimit(run: RunContext, ended: StepEnd): StepEnd {
  if (run.outputBytes + ended.bytes > MAX_RUN_OUTPUT_BYTES) return tooLarge();
  run.outputBytes += ended.bytes;
  return ended;
}

function endStep(run: RunContext, step: StepDefinition, ended: StepEnd): void {
  const { status, errorCode, error = null } = ended;
  run.states.set(step.id, { status, errorCode });
  run.completed.push(step.id);
  const hasValue = status === 'succeeded' && 'output' in ended;
  if (hasValue) run.outputs.set(step.id, ended.output);
  if (isToldByItsJob(step, ended)) return;
  run.recorder.note({
    ...{ id: step.id, status, error, finishedAt: new Date().toISOString() },
    ...(hasValue ? { output: ended.output } : {}),
  });
}
