// Reads one step of a definition: its fields, its kind, its values; what it refers to is looked at later.
import { parseDurationMs } from '../contract/duration.ts';
import { parseTimestamp } from '../contract/timestamp.ts';
import type { Compensation, JsonSchema, StepDefinition, WaitForStep, WaitStep, WorkflowStep } from './definition.ts';
import { DEFAULT_CONCURRENCY, ON_ERROR, RUN_WHEN, STEP_KINDS } from './definition.ts';
import type { DefinitionChecks } from './definition-checks.ts';
import { isBuiltIn, parseExpression } from './expression.ts';
import { compileHttp } from './http-template.ts';
import type { Fields, Reader } from './reader.ts';
import { isObject } from './reader.ts';
import { compileTemplate, hasTemplate } from './template.ts';

const STEP_FIELDS = [
  ...['id', 'dependsOn', 'runWhen', 'if', 'forEach', 'as', 'concurrency', 'onError', 'retry', 'delivery', 'compensate'],
  ...STEP_KINDS,
];
const STEP_ID = /^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/;
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const RESERVED = ['input', 'steps', 'item', 'index', 'run'];
const DELIVERIES = ['atLeastOnce', 'atMostOnce'] as const;
const MAX_CONCURRENCY = 1000;
const LONGEST_WAIT_MS = 366 * 24 * 3_600_000;

/** As much of the step as can be told, or null if it has no usable id. Faulty parts are left out. */
export function readStep(
  value: unknown,
  pointer: string,
  reader: Reader,
  checks: DefinitionChecks,
): StepDefinition | null {
  const fields = reader.fields(value, pointer, STEP_FIELDS);
  if (fields === null) return null;
  const id = readId(fields['id'], `${pointer}/id`, reader);
  const step: StepDefinition = {
    id: id ?? '',
    dependsOn: readDependsOn(fields['dependsOn'], `${pointer}/dependsOn`, reader),
    runWhen: reader.oneOf(fields['runWhen'], `${pointer}/runWhen`, RUN_WHEN, 'allSucceeded'),
    onError: reader.oneOf(fields['onError'], `${pointer}/onError`, ON_ERROR, 'fail'),
  };
  if (fields['if'] !== undefined) {
    const condition = reader.text(fields['if'], `${pointer}/if`, { maxLength: Infinity, detail: 'must be a CEL text' });
    if (condition !== null) step.if = condition;
  }
  readForEach(fields, pointer, reader, step);
  readCallSettings(fields, pointer, reader, checks, step);
  if (fields['compensate'] !== undefined) {
    const compensate = readCompensate(fields['compensate'], `${pointer}/compensate`, reader, checks);
    if (compensate !== null) step.compensate = compensate;
  }
  readKind(fields, pointer, reader, checks, step);
  return id === null ? null : step;
}

function readId(value: unknown, pointer: string, reader: Reader): string | null {
  const id = reader.text(value, pointer, { pattern: STEP_ID, detail: `must match ${STEP_ID.source}` });
  if (id === null || !RESERVED.includes(id)) return id;
  reader.fault(pointer, `"${id}" is reserved`);
  return null;
}

function readDependsOn(value: unknown, pointer: string, reader: Reader): string[] {
  const ids = value === undefined ? [] : (reader.list(value, pointer) ?? []);
  const found = new Set<string>();
  ids.forEach((id, index) => {
    if (typeof id !== 'string') reader.fault(`${pointer}/${index}`, 'must be the id of a step');
    else if (found.has(id)) reader.fault(`${pointer}/${index}`, `"${id}" is named twice`);
    else found.add(id);
  });
  // A name given twice stays here as given once; faults already say so.
  return [...found];
}

function readForEach(fields: Fields, pointer: string, reader: Reader, step: StepDefinition): void {
  if (fields['forEach'] === undefined) {
    for (const key of ['as', 'concurrency']) {
      if (fields[key] !== undefined) reader.fault(`${pointer}/${key}`, 'needs forEach');
    }
    return;
  }
  const { forEach, as, concurrency } = fields;
  const { template } = compileTemplate(forEach);
  const isTemplate = typeof forEach === 'string' && hasTemplate(forEach) && template.kind !== 'text';
  if (!isTemplate && !Array.isArray(forEach)) {
    reader.fault(`${pointer}/forEach`, 'must be a list or one ${ } that gives a list');
  }
  step.forEach = forEach;
  step.as = as === undefined ? 'item' : (readItemName(as, `${pointer}/as`, reader) ?? 'item');
  const range = { min: 1, max: MAX_CONCURRENCY };
  step.concurrency =
    (concurrency === undefined ? null : reader.whole(concurrency, `${pointer}/concurrency`, range)) ??
    DEFAULT_CONCURRENCY;
  for (const kind of ['wait', 'waitFor']) {
    if (fields[kind] !== undefined) reader.fault(`${pointer}/forEach`, `cannot be combined with ${kind}`);
  }
}

function readItemName(value: unknown, pointer: string, reader: Reader): string | null {
  const name = reader.text(value, pointer, { pattern: STEP_ID, detail: `must match ${STEP_ID.source}` });
  if (name === null || name === 'item') return name;
  const isTaken = RESERVED.includes(name) || isBuiltIn(name) || !parseExpression(name).ok;
  if (isTaken) reader.fault(pointer, `"${name}" is reserved`);
  return isTaken ? null : name;
}

function readCallSettings(
  fields: Fields,
  pointer: string,
  reader: Reader,
  checks: DefinitionChecks,
  target: Pick<StepDefinition, 'retry' | 'delivery'>,
): void {
  if (fields['retry'] !== undefined) {
    const faults = checks.checkRetry(fields['retry'], `${pointer}/retry`);
    reader.faults.push(...faults);
    if (faults.length === 0) target.retry = fields['retry'] as NonNullable<StepDefinition['retry']>;
  }
  if (fields['delivery'] !== undefined) {
    target.delivery = reader.oneOf(fields['delivery'], `${pointer}/delivery`, DELIVERIES, 'atLeastOnce');
  }
  for (const key of ['retry', 'delivery']) {
    if (fields[key] !== undefined && fields['http'] === undefined) reader.fault(`${pointer}/${key}`, 'needs http');
  }
}

function readCompensate(
  value: unknown,
  pointer: string,
  reader: Reader,
  checks: DefinitionChecks,
): Compensation | null {
  const fields = reader.fields(value, pointer, ['http', 'retry', 'delivery']);
  if (fields === null) return null;
  const settings: Pick<StepDefinition, 'retry' | 'delivery'> = {};
  readCallSettings(fields, pointer, reader, checks, settings);
  return readHttp(fields['http'], `${pointer}/http`, reader, checks, (http) => ({ http, ...settings }));
}

function readHttp<T>(
  value: unknown,
  pointer: string,
  reader: Reader,
  checks: DefinitionChecks,
  use: (http: Fields) => T,
): T | null {
  if (!isObject(value)) {
    reader.fault(pointer, 'must be an object');
    return null;
  }
  if (typeof value['url'] !== 'string') {
    reader.fault(`${pointer}/url`, 'must be a URL');
    return null;
  }
  // Faults of the templates themselves are told with those of all expressions.
  const { sample } = compileHttp(value, pointer);
  if (sample !== null) reader.faults.push(...checks.checkHttp(sample, pointer));
  return use(value);
}

function readKind(
  fields: Fields,
  pointer: string,
  reader: Reader,
  checks: DefinitionChecks,
  step: StepDefinition,
): void {
  const kinds = STEP_KINDS.filter((kind) => fields[kind] !== undefined);
  if (kinds.length !== 1) {
    const found = kinds.length === 0 ? 'none' : kinds.join(', ');
    reader.fault(pointer, `must have exactly one of ${STEP_KINDS.join(', ')}; found ${found}`);
  }
  const { http, wait, waitFor, workflow, transform } = fields;
  if (http !== undefined) readHttp(http, `${pointer}/http`, reader, checks, (call) => (step.http = call));
  if (wait !== undefined) Object.assign(step, present('wait', readWait(wait, `${pointer}/wait`, reader)));
  if (waitFor !== undefined) {
    Object.assign(step, present('waitFor', readWaitFor(waitFor, `${pointer}/waitFor`, reader, checks)));
  }
  if (workflow !== undefined) {
    Object.assign(step, present('workflow', readWorkflow(workflow, `${pointer}/workflow`, reader)));
  }
  if (transform !== undefined) step.transform = transform;
}

function readWait(value: unknown, pointer: string, reader: Reader): WaitStep | null {
  const fields = reader.fields(value, pointer, ['for', 'until']);
  if (fields === null) return null;
  if ((fields['for'] === undefined) === (fields['until'] === undefined)) {
    reader.fault(pointer, 'must have exactly one of for, until');
    return null;
  }
  if (fields['for'] !== undefined) {
    const duration = readDuration(fields['for'], `${pointer}/for`, reader);
    return duration === null ? null : { for: duration };
  }
  const until = fields['until'];
  const isTime = typeof until === 'string' && (hasTemplate(until) || parseTimestamp(until) !== null);
  if (!isTime) reader.fault(`${pointer}/until`, 'must be an RFC 3339 time or a text with ${ }');
  return isTime ? { until } : null;
}

function readDuration(value: unknown, pointer: string, reader: Reader): string | null {
  if (typeof value === 'string') {
    if (hasTemplate(value)) return value;
    const durationMs = parseDurationMs(value);
    if (durationMs !== null && durationMs > 0 && durationMs <= LONGEST_WAIT_MS) return value;
  }
  reader.fault(pointer, 'must be a duration such as "30s" of at most 366 days, or a text with ${ }');
  return null;
}

function readWaitFor(value: unknown, pointer: string, reader: Reader, checks: DefinitionChecks): WaitForStep | null {
  const fields = reader.fields(value, pointer, ['signal', 'timeout', 'onTimeout', 'schema']);
  if (fields === null) return null;
  const detail = `must match ${NAME.source}`;
  const signal = reader.text(fields['signal'], `${pointer}/signal`, { pattern: NAME, detail });
  const onTimeout = reader.oneOf(fields['onTimeout'], `${pointer}/onTimeout`, ON_ERROR, 'fail');
  const step: WaitForStep = { signal: signal ?? '', onTimeout };
  if (fields['timeout'] !== undefined) {
    const timeout = readDuration(fields['timeout'], `${pointer}/timeout`, reader);
    if (timeout !== null) step.timeout = timeout;
  }
  if (fields['schema'] !== undefined) {
    reader.faults.push(...checks.checkSchema(fields['schema'], `${pointer}/schema`));
    step.schema = fields['schema'] as JsonSchema;
  }
  return signal === null ? null : step;
}

function readWorkflow(value: unknown, pointer: string, reader: Reader): WorkflowStep | null {
  const fields = reader.fields(value, pointer, ['name', 'version', 'input']);
  if (fields === null) return null;
  const name = reader.text(fields['name'], `${pointer}/name`, {
    pattern: NAME,
    detail: `must match ${NAME.source}`,
  });
  const version =
    fields['version'] === undefined
      ? null
      : reader.whole(fields['version'], `${pointer}/version`, { min: 1, max: Number.MAX_SAFE_INTEGER });
  if (name === null) return null;
  return { name, ...present('version', version), ...present('input', fields['input'] ?? null) };
}

function present<K extends string, V>(key: K, value: V | null): { [key in K]?: V } {
  return value === null ? {} : ({ [key]: value } as { [key in K]: V });
}
