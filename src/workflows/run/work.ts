// What one step, or one item of it, does: the one place that knows all kinds.
import type { StepDefinition } from '../../language/definition.ts';
import type { StepWork } from '../../language/step-program.ts';
import { callStep } from './call.ts';
import { runChild } from './child.ts';
import type { RunContext } from './context.ts';
import { type Ended, valueEnd } from './ends.ts';
import { waitForStep, waitStep } from './waits.ts';

export async function performWork(
  run: RunContext,
  step: StepDefinition,
  work: StepWork,
  item: number | null,
): Promise<Ended> {
  switch (work.kind) {
    case 'http':
      return callStep(run, step, work.http, item);
    case 'transform':
      return valueEnd(work.output);
    case 'workflow':
      return runChild(run, step, work, item);
    case 'waitMs':
    case 'waitUntil':
      return waitStep(run, step, work);
    case 'waitFor':
      return waitForStep(run, step, work);
  }
}
