// Which steps a redriven run keeps, and which it does again.
import type { WorkflowDefinition } from './definition.ts';
import type { Plan } from './plan.ts';
import type { StepState, StepStates } from './progress.ts';
import { DEPENDENCY_FAILED } from './progress.ts';

export interface RedrivePlan {
  /** Keep their state and output. */
  kept: string[];
  /** Start as pending. */
  again: string[];
  /** Those of `again` that were undone, and therefore need new outbound keys. */
  newKeys: string[];
}

/**
 * Done again: `fromStep` and all that comes after it; without it every step that failed the run, and all that comes
 * after those. What never came to a good end is done again in any case. `plan` and `definition` are those of the new run.
 */
export function planRedrive(
  definition: WorkflowDefinition,
  plan: Plan,
  states: StepStates,
  fromStep?: string,
): RedrivePlan {
  const dependencies = new Map(plan.steps.map((step) => [step.id, step.dependsOn]));
  const continues = new Set(definition.steps.filter((step) => step.onError === 'continue').map((step) => step.id));
  const isAgain = new Set<string>();
  for (const id of plan.order) {
    const isSeed = id === fromStep || !isKept(states.get(id), continues.has(id));
    if (isSeed || dependencies.get(id)?.some((dependency) => isAgain.has(dependency))) isAgain.add(id);
  }
  const again = plan.order.filter((id) => isAgain.has(id));
  return {
    kept: plan.order.filter((id) => !isAgain.has(id)),
    again,
    newKeys: again.filter((id) => states.get(id)?.status === 'compensated'),
  };
}

function isKept(state: StepState | undefined, continues: boolean): boolean {
  if (state?.status === 'succeeded') return true;
  if (state?.status === 'failed') return continues;
  return state?.status === 'skipped' && state.errorCode !== DEPENDENCY_FAILED;
}
