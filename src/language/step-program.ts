// A step made ready to run: its condition, its items and its work, each computed from the scope of the moment.
import { parseDurationMs } from '../contract/duration.ts';
import { parseTimestamp } from '../contract/timestamp.ts';
import type { Compensation, StepDefinition, WaitStep } from './definition.ts';
import type { Expression, Scope } from './expression.ts';
import { evaluate, parseExpression } from './expression.ts';
import { ExpressionError } from './expression-error.ts';
import type { HttpInput } from './http-template.ts';
import { compileHttp, renderHttp } from './http-template.ts';
import { compileTemplate, renderTemplate } from './template.ts';

/** What is to be done now. An `http` is input like any other: its target must be checked again. */
export type StepWork =
  | { kind: 'http'; http: HttpInput }
  | { kind: 'waitFor'; signal: string; timeoutMs: number | null }
  | { kind: 'waitMs'; durationMs: number }
  | { kind: 'waitUntil'; time: Date }
  | { kind: 'workflow'; name: string; version: number | null; input: unknown }
  | { kind: 'transform'; output: unknown };

/** Every function ends with a value or with an `ExpressionError`, which is to fail the step. */
export interface StepProgram {
  shouldRun: (scope: Scope) => boolean;
  /** Null for a step without `forEach`. */
  items: (scope: Scope) => unknown[] | null;
  /** For an item, `scope` comes from `itemScope`. */
  work: (scope: Scope) => StepWork;
  compensation: ((scope: Scope) => HttpInput) | null;
}

/** For a step of a definition that passed validation. Compile once per run: rendering is cheap, parsing is not. */
export function compileStep(step: StepDefinition): StepProgram {
  const condition = step.if === undefined ? null : expressionOf(step.if);
  const items = step.forEach === undefined ? null : rendererOf(step.forEach);
  return {
    shouldRun: (scope) => condition === null || truthOf(evaluate(condition, scope)),
    items: (scope) => (items === null ? null : listOf(items(scope))),
    work: workOf(step),
    compensation: step.compensate === undefined ? null : callOf(step.compensate),
  };
}

/** The scope of one item of a `forEach`. */
export function itemScope(scope: Scope, step: StepDefinition, item: unknown, index: number): Scope {
  return { ...scope, [step.as ?? 'item']: item, index };
}

function workOf(step: StepDefinition): StepProgram['work'] {
  if (step.http !== undefined) {
    const call = callOf({ http: step.http });
    return (scope) => ({ kind: 'http', http: call(scope) });
  }
  if (step.wait !== undefined) return waitOf(step.wait);
  if (step.waitFor !== undefined) {
    const { signal, timeout } = step.waitFor;
    const render = rendererOf(timeout ?? null);
    return (scope) => {
      const text = render(scope);
      return { kind: 'waitFor', signal, timeoutMs: text === null ? null : durationOf(text) };
    };
  }
  if (step.workflow !== undefined) {
    const { name, version = null, input = null } = step.workflow;
    const render = rendererOf(input);
    return (scope) => ({ kind: 'workflow', name, version, input: render(scope) });
  }
  const render = rendererOf(step.transform);
  return (scope) => ({ kind: 'transform', output: render(scope) });
}

function waitOf(wait: WaitStep): StepProgram['work'] {
  const render = rendererOf('for' in wait ? wait.for : wait.until);
  if ('for' in wait) return (scope) => ({ kind: 'waitMs', durationMs: durationOf(render(scope)) });
  return (scope) => ({ kind: 'waitUntil', time: timeOf(render(scope)) });
}

function callOf({ http }: Compensation): (scope: Scope) => HttpInput {
  const { template } = compileHttp(http, '');
  if (template === null) throw new ExpressionError('the call of the step is not valid');
  return (scope) => renderHttp(template, scope);
}

function rendererOf(value: unknown): (scope: Scope) => unknown {
  const { template, faults } = compileTemplate(value);
  if (faults[0] !== undefined) throw new ExpressionError(faults[0].detail);
  return (scope) => renderTemplate(template, scope);
}

function expressionOf(text: string): Expression {
  const parsed = parseExpression(text);
  if (!parsed.ok) throw new ExpressionError(parsed.detail, parsed.position);
  return parsed.expression;
}

function truthOf(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new ExpressionError('the condition of a step must give true or false');
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw new ExpressionError('forEach must give a list');
}

function durationOf(value: unknown): number {
  const durationMs = typeof value === 'string' ? parseDurationMs(value) : null;
  if (durationMs !== null) return durationMs;
  throw new ExpressionError('must be a duration such as "30s"');
}

function timeOf(value: unknown): Date {
  const time = typeof value === 'string' ? parseTimestamp(value) : null;
  if (time !== null) return time;
  throw new ExpressionError('must be an RFC 3339 time with its zone');
}
