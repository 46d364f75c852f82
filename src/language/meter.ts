// Bounds what evaluating one expression may cost, so that no expression holds up a worker or eats its memory.
import type { ASTNode } from '@marcbachmann/cel-js';

import { ExpressionError } from './expression-error.ts';
import { children } from './expression-tree.ts';

const MAX_COST = 2_000_000;
const CHARACTERS_PER_UNIT = 64;

export interface Meter {
  reset(): void;
  /** Also says so when the library has swallowed the error, as `||` does. */
  check(): void;
}

/** How the library calls a node; it replaces the method on first use, hence the setter below. */
type Evaluate = (evaluator: unknown, node: unknown, context: unknown) => unknown;

/**
 * Counts every node evaluated, and the size of what it brings forth. Reaching into a value is free of its size; being
 * compared, searched, joined or handed to a function is not.
 */
export function attachMeter(root: ASTNode): Meter {
  const sizes = new WeakMap<object, number>();
  let spent = 0;
  attach(root, false);
  return {
    reset: () => void (spent = 0),
    check: () => {
      if (spent > MAX_COST) throw new ExpressionError('the expression takes too many steps');
    },
  };

  function spend(cost: number): void {
    spent += cost;
    if (spent > MAX_COST) throw new ExpressionError('the expression takes too many steps');
  }

  function attach(node: ASTNode, charged: boolean): void {
    let evaluate = Reflect.get(node, 'evaluate') as Evaluate;
    let replaced = false;
    const metered: Evaluate = (evaluator, self, context) => {
      // The first call replaces the method and calls it at once: that inner call is not a second one.
      if (replaced) {
        replaced = false;
        return evaluate.call(node, evaluator, self, context);
      }
      spend(1);
      const value = evaluate.call(node, evaluator, self, context);
      if (charged || !isReach(node)) spend(sizeOf(value));
      return value;
    };
    Object.defineProperty(node, 'evaluate', {
      get: () => metered,
      set: (next: Evaluate) => {
        evaluate = next;
        replaced = true;
      },
    });
    for (const child of children(node)) attach(child, isScanned(node));
  }

  function sizeOf(value: unknown): number {
    if (typeof value === 'string') return Math.ceil(value.length / CHARACTERS_PER_UNIT);
    if (typeof value !== 'object' || value === null) return 0;
    if (value instanceof Uint8Array) return Math.ceil(value.length / CHARACTERS_PER_UNIT);
    const known = sizes.get(value);
    if (known !== undefined) return known;
    let size = 1;
    for (const item of itemsOf(value)) {
      size += 1 + sizeOf(item);
      if (size > MAX_COST) break;
    }
    sizes.set(value, size);
    return size;
  }
}

function itemsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value)) return value as unknown[];
  if (value instanceof Map) return (value as Map<unknown, unknown>).values();
  return Object.values(value) as unknown[];
}

function isReach({ op }: ASTNode): boolean {
  return op === 'id' || op === '.' || op === '[]' || op === '?:' || op === 'value';
}

function isScanned(node: ASTNode): boolean {
  switch (node.op) {
    case '==':
    case '!=':
    case 'in':
    case '+':
      return true;
    case 'call':
      return node.args[0] !== 'size' && node.args[0] !== 'has';
    case 'rcall':
      return !['size', 'map', 'filter', 'all', 'exists', 'exists_one', 'bind'].includes(node.args[0]);
    default:
      return false;
  }
}
