// Decides what a run does next, from its plan and the state of its steps alone: no clock, no I/O, no memory.
//
// A step is looked at once all it depends on has ended, and then either starts or is skipped:
// - A dependency is *broken* if it failed (unless its `onError` is `continue`), was canceled, or was skipped because
//   something before it was broken. `allSucceeded` steps with a broken dependency are skipped as `dependencyFailed`.
// - `allDone` steps start whatever happened. `anyFailed` steps start if a dependency failed (also one with `continue`)
//   or is broken; otherwise they are skipped without an error.
// - A step that needs the output of a skipped step is skipped too, for the same reason as that one.
// A failure does not stop branches that do not depend on it: what can still run runs, then the run ends `failed`.
import type { RunWhen, StepDefinition, WorkflowDefinition } from './definition.ts';
import type { Plan, PlannedStep } from './plan.ts';

export type StepStatus =
  'pending' | 'running' | 'waiting' | 'retrying' | 'succeeded' | 'failed' | 'skipped' | 'canceled' | 'compensated';

export interface StepState {
  status: StepStatus;
  /** The code of the step's error: tells a step skipped for a failure from one skipped by its condition. */
  errorCode?: string | null;
}

/** Steps that are not in it are pending. */
export type StepStates = ReadonlyMap<string, StepState>;

export interface SkippedStep {
  id: string;
  errorCode: typeof DEPENDENCY_FAILED | null;
  /** The dependency that decided it. */
  because: string | null;
}

export interface NextActions {
  start: string[];
  skip: SkippedStep[];
  /** Null while something runs or can start. */
  outcome: 'succeeded' | 'failed' | null;
}

export interface ProgressOptions {
  /** Steps that wait for time or a signal do not count. */
  maxRunning?: number;
  /** Nothing new starts or is skipped; the outcome is still told when all steps have ended. */
  paused?: boolean;
}

export const DEPENDENCY_FAILED = 'dependencyFailed';

const ENDED: ReadonlySet<StepStatus> = new Set(['succeeded', 'failed', 'skipped', 'canceled', 'compensated']);

/**
 * The steps to skip (state `skipped` with `errorCode`) and those to start, in the order of the plan. Skips are already
 * taken into account for what starts, so one call after each change of a step's state is enough.
 */
export function nextActions(
  definition: WorkflowDefinition,
  plan: Plan,
  states: StepStates,
  { maxRunning = Infinity, paused = false }: ProgressOptions = {},
): NextActions {
  const steps = stepsById(definition);
  const planned = new Map(plan.steps.map((step) => [step.id, step]));
  const known = new Map(states);
  const actions: NextActions = { start: [], skip: [], outcome: null };
  let free = maxRunning - countRunning(states);
  for (const id of paused ? [] : plan.order) {
    const step = planned.get(id);
    const definitionOfStep = steps.get(id);
    if (step === undefined || definitionOfStep === undefined || statusOf(known, id) !== 'pending') continue;
    if (!step.dependsOn.every((dependency) => hasEnded(known, dependency))) continue;
    const skipped = skipOf(step, definitionOfStep.runWhen, known, steps);
    if (skipped !== null) {
      actions.skip.push(skipped);
      known.set(id, { status: 'skipped', errorCode: skipped.errorCode });
    } else if (free > 0) {
      actions.start.push(id);
      free -= 1;
    }
  }
  actions.outcome = outcomeOf(plan, known, steps);
  return actions;
}

/** Failures that fail the run, in the order of the plan: the first is the one a dead letter names. */
export function failedSteps(definition: WorkflowDefinition, plan: Plan, states: StepStates): string[] {
  const steps = stepsById(definition);
  return plan.order.filter((id) => statusOf(states, id) === 'failed' && steps.get(id)?.onError !== 'continue');
}

/**
 * The steps to undo after a failure, in order: those that succeeded and say how, last completed first.
 * `completed` holds the ids in the order in which the steps ended, those kept by a redrive in front.
 */
export function compensationOrder(
  definition: WorkflowDefinition,
  states: StepStates,
  completed: readonly string[],
): string[] {
  if (definition.onFailure !== 'compensate') return [];
  const steps = stepsById(definition);
  return completed
    .filter((id) => statusOf(states, id) === 'succeeded' && steps.get(id)?.compensate !== undefined)
    .reverse();
}

/** Steps whose output nobody may count on: for the `absent` of the run's output template. */
export function stepsWithoutOutput(plan: Plan, states: StepStates): Set<string> {
  return new Set(plan.order.filter((id) => statusOf(states, id) !== 'succeeded'));
}

export function hasStepEnded(state: StepState | undefined): boolean {
  return state !== undefined && ENDED.has(state.status);
}

function skipOf(
  step: PlannedStep,
  runWhen: RunWhen,
  states: StepStates,
  steps: ReadonlyMap<string, StepDefinition>,
): SkippedStep | null {
  const broken = step.dependsOn.find((id) => isBroken(id, states, steps));
  if (runWhen === 'allSucceeded' && broken !== undefined) {
    return { id: step.id, errorCode: DEPENDENCY_FAILED, because: broken };
  }
  if (runWhen === 'anyFailed') {
    const anyFailed = broken ?? step.dependsOn.find((id) => statusOf(states, id) === 'failed');
    if (anyFailed === undefined) return { id: step.id, errorCode: null, because: null };
  }
  const missing = step.needsOutput.filter((id) => statusOf(states, id) === 'skipped');
  const because = missing.find((id) => isBroken(id, states, steps)) ?? missing[0];
  if (because === undefined) return null;
  return { id: step.id, errorCode: isBroken(because, states, steps) ? DEPENDENCY_FAILED : null, because };
}

function isBroken(id: string, states: StepStates, steps: ReadonlyMap<string, StepDefinition>): boolean {
  const state = states.get(id);
  switch (state?.status) {
    case 'failed':
      return steps.get(id)?.onError !== 'continue';
    case 'canceled':
    case 'compensated':
      return true;
    case 'skipped':
      return state.errorCode === DEPENDENCY_FAILED;
    default:
      return false;
  }
}

function outcomeOf(plan: Plan, states: StepStates, steps: ReadonlyMap<string, StepDefinition>): NextActions['outcome'] {
  if (!plan.order.every((id) => hasEnded(states, id))) return null;
  return plan.order.some((id) => isBroken(id, states, steps)) ? 'failed' : 'succeeded';
}

function stepsById({ steps }: WorkflowDefinition): Map<string, StepDefinition> {
  return new Map(steps.map((step) => [step.id, step]));
}

function countRunning(states: StepStates): number {
  return [...states.values()].filter(({ status }) => status === 'running' || status === 'retrying').length;
}

function statusOf(states: StepStates, id: string): StepStatus {
  return states.get(id)?.status ?? 'pending';
}

function hasEnded(states: StepStates, id: string): boolean {
  return hasStepEnded(states.get(id));
}
