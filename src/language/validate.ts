// Checks a definition as it was sent and names every fault at once; what passes comes with its plan.
import { parseDurationMs } from '../contract/duration.ts';
import type { NotifyRule } from '../contract/job.ts';
import type { FieldFault } from '../contract/problem.ts';
import type { JsonSchema, StepDefaults, StepDefinition, WorkflowDefinition } from './definition.ts';
import { MAX_STEPS } from './definition.ts';
import type { DefinitionChecks } from './definition-checks.ts';
import type { Plan } from './plan.ts';
import { createPlan } from './plan.ts';
import type { Fields, Reader } from './reader.ts';
import { createReader } from './reader.ts';
import { dependenciesOf, expressionsOf } from './step-references.ts';
import { checkReferences } from './validate-graph.ts';
import { readNotify } from './validate-notify.ts';
import { readStep } from './validate-step.ts';

export type Validated =
  { valid: true; definition: WorkflowDefinition; plan: Plan } | { valid: false; faults: FieldFault[] };

const FIELDS = ['description', 'input', 'defaults', 'steps', 'output', 'notify', 'onFailure'];
const LONGEST_CALL_MS = 600_000;

export function validateDefinition(input: unknown, checks: DefinitionChecks): Validated {
  const reader = createReader();
  const fields = reader.fields(input, '', FIELDS);
  if (fields === null) return { valid: false, faults: reader.faults };
  const { steps, isComplete } = readSteps(fields['steps'], reader, checks);
  const definition: WorkflowDefinition = {
    ...readDescription(fields, reader),
    ...readInput(fields, reader, checks),
    ...readDefaults(fields, reader, checks),
    steps: steps.filter((step) => step !== null),
    ...(fields['output'] === undefined ? {} : { output: fields['output'] }),
    ...readNotifyField(fields, reader),
    onFailure: reader.oneOf(fields['onFailure'], '/onFailure', ['compensate', 'stop'], 'compensate'),
  };
  if (isComplete) checkReferences(steps, definition.output, reader);
  if (reader.faults.length > 0) return { valid: false, faults: reader.faults };
  return { valid: true, definition, plan: planOf(definition) };
}

/** The plan of a definition that passed validation. */
export function planOf(definition: WorkflowDefinition): Plan {
  return createPlan(definition.steps, (step) => dependenciesOf(expressionsOf(step, '')));
}

/** A step too faulty to be read keeps its place as null, so that pointers of the others stay right. */
function readSteps(
  value: unknown,
  reader: Reader,
  checks: DefinitionChecks,
): { steps: (StepDefinition | null)[]; isComplete: boolean } {
  const list = reader.list(value, '/steps');
  if (list === null) return { steps: [], isComplete: false };
  if (list.length === 0) reader.fault('/steps', 'must have at least one step');
  if (list.length > MAX_STEPS) {
    reader.fault('/steps', `must have at most ${MAX_STEPS} steps, not ${list.length}`);
    return { steps: [], isComplete: false };
  }
  return { steps: list.map((step, index) => readStep(step, `/steps/${index}`, reader, checks)), isComplete: true };
}

function readDescription({ description }: Fields, reader: Reader): { description?: string } {
  if (description === undefined) return {};
  const text = reader.text(description, '/description', { detail: 'must be a text of at most 1024 characters' });
  return text === null ? {} : { description: text };
}

function readInput({ input }: Fields, reader: Reader, checks: DefinitionChecks): { input?: { schema: JsonSchema } } {
  if (input === undefined) return {};
  const fields = reader.fields(input, '/input', ['schema']);
  if (fields === null || fields['schema'] === undefined) return {};
  reader.faults.push(...checks.checkSchema(fields['schema'], '/input/schema'));
  return { input: { schema: fields['schema'] as JsonSchema } };
}

function readDefaults({ defaults }: Fields, reader: Reader, checks: DefinitionChecks): { defaults?: StepDefaults } {
  if (defaults === undefined) return {};
  const fields = reader.fields(defaults, '/defaults', ['timeout', 'retry']);
  if (fields === null) return {};
  const { timeout, retry } = fields;
  const read: StepDefaults = {};
  if (timeout !== undefined) {
    const timeoutMs = typeof timeout === 'string' ? parseDurationMs(timeout) : null;
    if (timeoutMs === null || timeoutMs <= 0 || timeoutMs > LONGEST_CALL_MS) {
      reader.fault('/defaults/timeout', 'must be a duration such as "10s" of at most 10 minutes');
    } else read.timeout = timeout as string;
  }
  if (retry !== undefined) {
    reader.faults.push(...checks.checkRetry(retry, '/defaults/retry'));
    read.retry = retry as NonNullable<StepDefaults['retry']>;
  }
  return { defaults: read };
}

function readNotifyField({ notify }: Fields, reader: Reader): { notify?: NotifyRule[] } {
  return notify === undefined ? {} : { notify: readNotify(notify, '/notify', reader) };
}
