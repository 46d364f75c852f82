// One run as its workflow knows it: definition, states of the steps, and what expressions may see.
import type { CarriedRun, RunSnapshot, StepEnd } from '../../contract/run.ts';
import { kindOf, type StepDefinition, type WorkflowDefinition } from '../../language/definition.ts';
import type { Scope } from '../../language/expression.ts';
import type { Plan } from '../../language/plan.ts';
import type { StepState, StepStatus } from '../../language/progress.ts';
import { planOf } from '../../language/validate.ts';
import { createOutputs, type Outputs } from './outputs.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { wantedOutputs } from './references.ts';
import { readJson } from './texts.ts';

export interface RunContext {
  runId: string;
  snapshot: RunSnapshot;
  definition: WorkflowDefinition;
  plan: Plan;
  steps: ReadonlyMap<string, StepDefinition>;
  input: unknown;
  states: Map<string, StepState>;
  /** In the order in which they ended. */
  completed: string[];
  outputs: Outputs;
  outputBytes: number;
  /** Outputs that some expression uses. */
  wanted: ReadonlySet<string>;
  /** When the wait of a step, or the retry of a call, is over: carried into the next execution. */
  timers: Map<string, number>;
  recorder: Recorder;
  /** The only step under way, if it is the only one: its call may be made inside the workflow task. */
  soloStep: string | null;
  /** A call is being made inside the workflow task: news has to wait until it has ended. */
  isInTask: boolean;
  paused: boolean;
  /** Steps are to come to rest, so that the run can go on in a new execution. */
  isStopping: () => boolean;
  /** Counts what the API has told us. */
  news: number;
  /** Runs and chunks of items that this execution is the parent of. */
  children: number;
  onPaused: Set<(paused: boolean) => void>;
}

export async function createContext(
  runId: string,
  snapshot: RunSnapshot,
  carried: CarriedRun | null,
): Promise<RunContext> {
  const definition = await textOr(snapshot.definition, () => readJson(runId, { definition: true }));
  const plan = planOf(definition as WorkflowDefinition);
  const states = carried?.states ?? snapshot.states;
  return {
    runId,
    snapshot,
    definition: definition as WorkflowDefinition,
    plan,
    steps: new Map((definition as WorkflowDefinition).steps.map((step) => [step.id, step])),
    input: await textOr(snapshot.input, () => readJson(runId, { input: true })),
    states: new Map(states.map(({ id, status, errorCode }) => [id, { status: status as StepStatus, errorCode }])),
    completed: carried?.completed ?? snapshot.states.map(({ id }) => id),
    outputs: createOutputs(runId),
    outputBytes: carried?.outputBytes ?? snapshot.outputBytes,
    wanted: wantedOutputs(definition as WorkflowDefinition, plan),
    timers: new Map(Object.entries(carried?.timers ?? {})),
    recorder: createRecorder(runId),
    soloStep: null,
    isInTask: false,
    paused: snapshot.paused,
    isStopping: () => false,
    news: 0,
    children: 0,
    onPaused: new Set(),
  };
}

/** What expressions over these steps see; never changed afterwards. */
export async function scopeOf(run: RunContext, stepIds: readonly string[]): Promise<Scope> {
  await run.outputs.ensure(stepIds.filter((id) => hasOutput(run, id)));
  const { workflow, version, createdAt, labels, redriveOf } = run.snapshot;
  const steps = stepIds.map((id) => [
    id,
    { output: hasOutput(run, id) ? run.outputs.get(id) : null, status: run.states.get(id)?.status ?? 'pending' },
  ]);
  return {
    input: run.input,
    steps: Object.fromEntries(steps) as Record<string, unknown>,
    run: { id: run.runId, workflow, version, createdAt, labels, redriveOf },
  };
}

/** A single call is told by its job row; everything else the run has to write itself. */
export function isToldByItsJob(step: StepDefinition, end: StepEnd): boolean {
  return kindOf(step) === 'http' && step.forEach === undefined && end.error === undefined && end.status !== 'skipped';
}

export function definedStep(run: RunContext, id: string): StepDefinition {
  const step = run.steps.get(id);
  if (step === undefined) throw new TypeError(`no step ${id} in the definition`);
  return step;
}

function hasOutput(run: RunContext, id: string): boolean {
  const status = run.states.get(id)?.status;
  return status === 'succeeded' || status === 'compensated';
}

async function textOr(text: string | null, read: () => Promise<unknown>): Promise<unknown> {
  return text === null ? read() : (JSON.parse(text) as unknown);
}
