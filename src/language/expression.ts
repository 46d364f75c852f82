// CEL expressions over the data of a run: parsed once, evaluated anywhere with the same result.
import type { ASTNode, ParseResult } from '@marcbachmann/cel-js';
import { Environment } from '@marcbachmann/cel-js';

import { parseTimestamp } from '../contract/timestamp.ts';
import { base64, fromCel, toCel } from './cel-values.ts';
import { ExpressionError } from './expression-error.ts';
import type { References, TreeReport } from './expression-tree.ts';
import { children, readTree } from './expression-tree.ts';
import { attachMeter } from './meter.ts';

export interface Expression {
  readonly text: string;
  readonly references: References;
  readonly run: (scope: Scope) => unknown;
}

export type ParsedExpression = { ok: true; expression: Expression } | { ok: false; position: number; detail: string };

/**
 * What an expression can see: `input`, `steps` (`{<id>: {output, status}}`), `run`, and inside `forEach` the item and
 * `index`. The values are JSON that nobody changes afterwards: their CEL form is kept for the next expression.
 */
export type Scope = Readonly<Record<string, unknown>>;

export const MAX_EXPRESSION_LENGTH = 4096;
const MAX_ITEMS_PER_LITERAL = 1000;
/**
 * Ours instead of the library's: a time without a zone would be local time of the machine, and bytes need a Buffer, which
 * the workflow sandbox does not have.
 */
const RENAMED_CALLS: Readonly<Record<string, string>> = { timestamp: 'timestampWithZone', bytes: 'bytesOfText' };
const RENAMED_METHODS: Readonly<Record<string, string>> = { base64: 'base64Text' };

const environment = createEnvironment();
const converted = new WeakMap<object, unknown>();

export function parseExpression(text: string): ParsedExpression {
  if (text.trim() === '') return { ok: false, position: 0, detail: 'the expression is empty' };
  if (text.length > MAX_EXPRESSION_LENGTH) {
    return {
      ok: false,
      position: MAX_EXPRESSION_LENGTH,
      detail: `an expression is at most ${MAX_EXPRESSION_LENGTH} characters long`,
    };
  }
  try {
    const parsed = environment.parse(text);
    const report = readTree(parsed.ast, isBuiltIn);
    const [fault] = report.faults;
    if (fault !== undefined) return { ok: false, ...fault };
    rename(parsed.ast);
    const { valid, error } = parsed.check();
    if (!valid) return { ok: false, ...explain(error) };
    return { ok: true, expression: createExpression(text, parsed, report) };
  } catch (error) {
    return { ok: false, ...explain(error) };
  }
}

export function references(expression: Expression): References {
  return expression.references;
}

/** The result as plain JSON. Ends with a value or with an `ExpressionError`, nothing else. */
export function evaluate(expression: Expression, scope: Scope): unknown {
  return expression.run(scope);
}

/** Names the language itself brings: a variable cannot be called so. */
export function isBuiltIn(name: string): boolean {
  return environment.hasVariable(name);
}

function createExpression(text: string, parsed: ParseResult, report: TreeReport): Expression {
  const meter = attachMeter(parsed.ast);
  return {
    text,
    references: report.references,
    run: (scope) => {
      try {
        meter.reset();
        const result: unknown = parsed(visibleScope(scope, report.references));
        meter.check();
        return fromCel(result);
      } catch (error) {
        if (error instanceof ExpressionError) throw error;
        const { detail, position } = explain(error);
        throw new ExpressionError(detail, position);
      }
    },
  };
}

/** Only what the expression names is converted: a run's outputs may be megabytes. */
function visibleScope(scope: Scope, { roots, steps }: References): Map<string, unknown> {
  const visible = new Map<string, unknown>();
  for (const root of roots) {
    if (root === 'steps') visible.set(root, visibleSteps(scope['steps'], steps));
    else if (Object.hasOwn(scope, root)) visible.set(root, keptCel(scope[root]));
  }
  return visible;
}

function visibleSteps(steps: unknown, used: Set<string>): Map<string, unknown> {
  const visible = new Map<string, unknown>();
  const all = (steps ?? {}) as Record<string, { output: unknown; status: string }>;
  for (const id of used) {
    const step = Object.hasOwn(all, id) ? all[id] : undefined;
    if (step === undefined) continue;
    visible.set(
      id,
      new Map([
        ['output', keptCel(step.output)],
        ['status', step.status],
      ]),
    );
  }
  return visible;
}

function keptCel(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return toCel(value);
  const kept = converted.get(value);
  if (kept !== undefined) return kept;
  const made = toCel(value);
  converted.set(value, made);
  return made;
}

function rename(node: ASTNode): void {
  if (node.op === 'call') renameIn(node.args, RENAMED_CALLS);
  if (node.op === 'rcall') renameIn(node.args, RENAMED_METHODS);
  children(node).forEach(rename);
}

function renameIn(call: [string, ...unknown[]], names: Readonly<Record<string, string>>): void {
  const [name] = call;
  if (Object.hasOwn(names, name)) call[0] = names[name] ?? name;
}

function createEnvironment(): Environment {
  const made = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    limits: { maxListElements: MAX_ITEMS_PER_LITERAL, maxMapEntries: MAX_ITEMS_PER_LITERAL },
  });
  const synchronous = { async: false };
  // JSON does not tell 10 from 10.0, so `price * 1.2` must work for both.
  const mixed: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
  };
  for (const [operator, compute] of Object.entries(mixed)) {
    const handler = (a: number | bigint, b: number | bigint) => compute(Number(a), Number(b));
    made.registerOperator(`int ${operator} double: double`, handler);
    made.registerOperator(`double ${operator} int: double`, handler);
  }
  made.registerFunction('timestampWithZone(string): google.protobuf.Timestamp', timestampOf, synchronous);
  made.registerFunction('timestampWithZone(int): google.protobuf.Timestamp', timestampOf, synchronous);
  made.registerFunction('bytesOfText(string): bytes', bytesOf, synchronous);
  made.registerFunction('bytes.base64Text(): string', base64, synchronous);
  return made;
}

function timestampOf(value: string | bigint): Date {
  const time = typeof value === 'string' ? parseTimestamp(value) : new Date(Number(value) * 1000);
  if (time !== null && !Number.isNaN(time.getTime())) return time;
  throw new ExpressionError('timestamp() takes an RFC 3339 time with its zone, or seconds');
}

/** Copied, because the sandbox's TextEncoder hands out arrays of another realm, which the library does not take. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(new TextEncoder().encode(text));
}

function explain(error: unknown): { detail: string; position: number } {
  if (error instanceof RangeError) return { detail: 'the expression goes too deep', position: 0 };
  if (!(error instanceof Error)) return { detail: 'the expression cannot be evaluated', position: 0 };
  const { summary, range } = error as { summary?: string; range?: { start: number } };
  return { detail: summary ?? error.message, position: range?.start ?? 0 };
}
