// JSON whose texts may hold `${ expression }`: compiled once with all its faults, rendered against a scope.
import { jsonPointer } from '../contract/json-pointer.ts';
import type { FieldFault } from '../contract/problem.ts';
import type { Expression, Scope } from './expression.ts';
import { evaluate, parseExpression } from './expression.ts';
import type { References } from './expression-tree.ts';
import { splitTemplate } from './template-text.ts';

/** An expression in what was sent, with the place it stands at. */
export interface PlacedExpression {
  pointer: string;
  expression: Expression;
}

export type TextPart = string | Expression;

export type Template =
  | { kind: 'constant'; value: unknown }
  | { kind: 'expression'; expression: Expression }
  | { kind: 'text'; parts: TextPart[] }
  | { kind: 'list'; items: Template[] }
  | { kind: 'object'; entries: [string, Template][] };

export interface CompiledTemplate {
  template: Template;
  expressions: PlacedExpression[];
  faults: FieldFault[];
}

export interface RenderOptions {
  /** An expression that uses the output of one of these steps is null instead of evaluated. */
  absent?: ReadonlySet<string>;
}

const MAX_DEPTH = 64;

/**
 * `${ e }` alone keeps the type of e; among other text it becomes text (`textOf`). `$${` stands for `${` itself.
 * Keys of objects are taken as they are. A template with faults renders its faulty texts as they were written.
 */
export function compileTemplate(value: unknown, pointer = ''): CompiledTemplate {
  const expressions: PlacedExpression[] = [];
  const faults: FieldFault[] = [];
  return { template: compile(value, pointer, 0), expressions, faults };

  function compile(current: unknown, at: string, depth: number): Template {
    if (depth > MAX_DEPTH) {
      faults.push({ pointer: at, detail: `nested more than ${MAX_DEPTH} deep` });
      return { kind: 'constant', value: null };
    }
    if (typeof current === 'string') return compileText(current, at);
    if (Array.isArray(current)) {
      return whenTemplated(current, {
        kind: 'list',
        items: current.map((item, index) => compile(item, `${at}/${index}`, depth + 1)),
      });
    }
    if (typeof current === 'object' && current !== null) return compileObject(current, at, depth);
    return { kind: 'constant', value: current };
  }

  function compileObject(current: object, at: string, depth: number): Template {
    const entries = Object.entries(current).map(([key, item]): [string, Template] => {
      const place = jsonPointer([key], at);
      if (key === '__proto__') faults.push({ pointer: place, detail: 'this name is not allowed' });
      return [key, compile(item, place, depth + 1)];
    });
    return whenTemplated(current, { kind: 'object', entries });
  }

  function compileText(text: string, at: string): Template {
    const parts = compileParts(text, at);
    faults.push(...parts.faults);
    expressions.push(...parts.parts.filter(isExpression).map((expression) => ({ pointer: at, expression })));
    return templateOfParts(text, parts);
  }
}

/** Literals and expressions of one text in their order; faults carry the position in the whole text. */
export function compileParts(text: string, pointer: string): { parts: TextPart[]; faults: FieldFault[] } {
  const faults: FieldFault[] = [];
  const parts: TextPart[] = [];
  for (const piece of splitTemplate(text)) {
    if (piece.kind === 'literal') parts.push(piece.text);
    else if (piece.kind === 'unclosed') faults.push(positioned(pointer, piece.at, '${ is never closed by }'));
    else {
      const parsed = parseExpression(piece.text);
      if (parsed.ok) parts.push(parsed.expression);
      else faults.push(positioned(pointer, piece.at + parsed.position, parsed.detail));
    }
  }
  return { parts, faults };
}

export function renderTemplate(template: Template, scope: Scope, options: RenderOptions = {}): unknown {
  switch (template.kind) {
    case 'constant':
      return template.value;
    case 'expression':
      return evaluatePart(template.expression, scope, options);
    case 'text':
      return template.parts.map((part) => textOf(evaluatePart(part, scope, options))).join('');
    case 'list':
      return template.items.map((item) => renderTemplate(item, scope, options));
    case 'object':
      return Object.fromEntries(template.entries.map(([key, item]) => [key, renderTemplate(item, scope, options)]));
  }
}

/** Texts as they are, everything else as JSON: `null`, `12`, `{"a":1}`. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What all these expressions use together. */
export function mergeReferences(expressions: readonly PlacedExpression[]): References {
  const merged: References = { steps: new Set(), outputs: new Set(), roots: new Set() };
  for (const { expression } of expressions) {
    for (const key of ['steps', 'outputs', 'roots'] as const) {
      expression.references[key].forEach((name) => merged[key].add(name));
    }
  }
  return merged;
}

export function hasTemplate(text: string): boolean {
  return splitTemplate(text).some((piece) => piece.kind !== 'literal');
}

export function positioned(pointer: string, position: number, detail: string): FieldFault {
  return { pointer, detail: `${detail} (at character ${position + 1})` };
}

function templateOfParts(text: string, { parts, faults }: { parts: TextPart[]; faults: FieldFault[] }): Template {
  if (faults.length > 0) return { kind: 'constant', value: text };
  const [first, second] = parts;
  if (second === undefined && isExpression(first)) return { kind: 'expression', expression: first };
  if (!parts.some(isExpression)) {
    return { kind: 'constant', value: parts.filter((part) => typeof part === 'string').join('') };
  }
  return { kind: 'text', parts };
}

/** Trees without an expression are handed out as they are, and cost nothing at each rendering. */
function whenTemplated(source: object, template: Template & { kind: 'list' | 'object' }): Template {
  const below = template.kind === 'list' ? template.items : template.entries.map(([, item]) => item);
  const originals: unknown[] = Object.values(source);
  const isConstant = below.every((item, at) => item.kind === 'constant' && item.value === originals[at]);
  return isConstant ? { kind: 'constant', value: source } : template;
}

function evaluatePart(part: TextPart, scope: Scope, { absent }: RenderOptions): unknown {
  if (typeof part === 'string') return part;
  if (absent !== undefined && [...part.references.outputs].some((id) => absent.has(id))) return null;
  return evaluate(part, scope);
}

function isExpression(part: TextPart | undefined): part is Expression {
  return typeof part === 'object';
}
