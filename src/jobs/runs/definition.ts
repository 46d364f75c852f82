// A workflow definition as sent: checked by the same rules as a job's call, so that a step is refused before it runs.
import type { FieldFault } from '../../contract/problem.ts';
import { FINAL_RUN_STATUSES } from '../../contract/run.ts';
import type { WorkflowDefinition } from '../../language/definition.ts';
import type { DefinitionChecks } from '../../language/definition-checks.ts';
import { checkSchema, compileSchema, type SchemaValidator } from '../../language/input-schema.ts';
import type { Plan } from '../../language/plan.ts';
import { validateDefinition } from '../../language/validate.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { EgressPolicy } from '../http/egress.ts';
import { onePerPointer, parseBySchema } from '../spec/faults.ts';
import { httpSchema } from '../spec/http-schema.ts';
import { notifySchema } from '../spec/notify-schema.ts';
import { retrySchema } from '../spec/retry-schema.ts';
import { headerFaults, targetFaults } from '../spec/target-rules.ts';

export type ParsedDefinition =
  | { ok: true; definition: WorkflowDefinition; plan: Plan }
  | { ok: false; code: 'validationFailed' | 'targetNotAllowed'; faults: FieldFault[] };

const RUN_NOTIFY = notifySchema(FINAL_RUN_STATUSES);
const MAX_SCHEMAS = 200;
const schemas = new Map<string, SchemaValidator>();

export function parseDefinition(input: unknown, policy: EgressPolicy, basePointer = ''): ParsedDefinition {
  let notAllowed = false;
  const checks: DefinitionChecks = {
    checkHttp: (http, pointer) => {
      const found = callFaults(http, pointer, policy);
      notAllowed ||= found.notAllowed;
      return found.faults;
    },
    checkRetry: (retry, pointer) => faultsOf(parseBySchema(retrySchema, retry, pointer)),
    checkSchema,
  };
  const validated = validateDefinition(input, checks);
  const hooks = validated.valid ? targetFaults({ notify: validated.definition.notify }, policy) : null;
  const faults = onePerPointer([
    ...(validated.valid ? [] : validated.faults),
    ...notifyFaults(input),
    ...(hooks?.faults ?? []),
  ]);
  if (validated.valid && faults.length === 0) {
    return { ok: true, definition: validated.definition, plan: validated.plan };
  }
  return {
    ok: false,
    code: notAllowed || hooks?.notAllowed ? 'targetNotAllowed' : 'validationFailed',
    faults: faults.map(({ pointer, detail }) => ({ pointer: basePointer + pointer, detail })),
  };
}

/** Faults of a run's input under `pointer`; none where the definition asks for nothing. */
export function inputFaults({ input }: WorkflowDefinition, value: unknown, pointer: string): FieldFault[] {
  return input === undefined ? [] : validatorOf(input.schema)(value, pointer);
}

/** Faults of a signal's payload: all steps that wait for it must be able to take it. */
export function signalFaults({ steps }: WorkflowDefinition, signal: string, payload: unknown): FieldFault[] {
  return steps.flatMap(({ waitFor }) =>
    waitFor?.signal === signal && waitFor.schema !== undefined ? validatorOf(waitFor.schema)(payload, '') : [],
  );
}

/** By the rules of a job's: what nobody can sign or send to is not found out when the run has failed. */
function notifyFaults(input: unknown): FieldFault[] {
  const { notify } = input !== null && typeof input === 'object' ? (input as { notify?: unknown }) : {};
  return notify === undefined ? [] : faultsOf(parseBySchema(RUN_NOTIFY, notify, '/notify'));
}

function callFaults(http: unknown, pointer: string, policy: EgressPolicy) {
  const targets = targetFaults({ http }, policy);
  const headers = headerFaults({ http });
  const elsewhere = [...targets.faults, ...headers].map((fault) => ({
    ...fault,
    pointer: pointer + fault.pointer.slice('/http'.length),
  }));
  const faults = onePerPointer([...faultsOf(parseBySchema(httpSchema, http, pointer)), ...elsewhere]);
  return { faults, notAllowed: targets.notAllowed };
}

function faultsOf(parsed: { ok: true } | { ok: false; faults: FieldFault[] }): FieldFault[] {
  return parsed.ok ? [] : parsed.faults;
}

/** Compiling takes milliseconds, and the same few schemas come again and again. */
function validatorOf(schema: object | boolean): SchemaValidator {
  const text = canonicalJson(schema);
  const known = schemas.get(text);
  if (known) return known;
  const made = compileSchema(schema);
  const [oldest] = schemas.keys();
  if (schemas.size >= MAX_SCHEMAS && oldest !== undefined) schemas.delete(oldest);
  schemas.set(text, made);
  return made;
}
