// Finds every expression of a step and what it uses, with the faults met on the way.
import { jsonPointer } from '../contract/json-pointer.ts';
import type { FieldFault } from '../contract/problem.ts';
import type { StepDefinition } from './definition.ts';
import { parseExpression } from './expression.ts';
import type { References } from './expression-tree.ts';
import { compileHttp } from './http-template.ts';
import type { PlacedExpression } from './template.ts';
import { compileTemplate, mergeReferences, positioned } from './template.ts';

export type StepReferences = Pick<References, 'steps' | 'outputs'>;

export interface StepExpressions {
  /** Evaluated once, before the items of a `forEach` are known. */
  before: PlacedExpression[];
  /** May use the item and its index. */
  perItem: PlacedExpression[];
  compensation: PlacedExpression[];
  faults: FieldFault[];
}

interface Found {
  expressions: PlacedExpression[];
  faults: FieldFault[];
}

export function expressionsOf(step: StepDefinition, pointer: string): StepExpressions {
  const condition = step.if === undefined ? none() : bareExpression(step.if, `${pointer}/if`);
  const items = fieldExpressions(step, 'forEach', pointer);
  const http = step.http === undefined ? none() : compileHttp(step.http, `${pointer}/http`);
  const kinds = (['wait', 'transform'] as const).map((key) => fieldExpressions(step, key, pointer));
  const child = compileTemplate(step.workflow?.input, `${pointer}/workflow/input`);
  const timeout = compileTemplate(step.waitFor?.timeout, `${pointer}/waitFor/timeout`);
  const compensate = step.compensate && compileHttp(step.compensate.http, `${pointer}/compensate/http`);
  const before = [condition, items];
  const perItem = [http, ...kinds, child, timeout];
  return {
    before: before.flatMap((found) => found.expressions),
    perItem: perItem.flatMap((found) => found.expressions),
    compensation: compensate?.expressions ?? [],
    faults: [...before, ...perItem, compensate ?? none()].flatMap((found) => found.faults),
  };
}

/** What must have ended before the step can start; a compensation runs long after and adds nothing. */
export function dependenciesOf({ before, perItem }: StepExpressions): StepReferences {
  return mergeReferences([...before, ...perItem]);
}

function fieldExpressions(step: StepDefinition, key: 'forEach' | 'wait' | 'transform', pointer: string): Found {
  return compileTemplate(step[key], jsonPointer([key], pointer));
}

function bareExpression(text: string, pointer: string): Found {
  const parsed = parseExpression(text);
  if (parsed.ok) return { expressions: [{ pointer, expression: parsed.expression }], faults: [] };
  return { expressions: [], faults: [positioned(pointer, parsed.position, parsed.detail)] };
}

function none(): Found {
  return { expressions: [], faults: [] };
}
