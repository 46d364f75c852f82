// Reads fields of unknown JSON and notes every fault with its place, so that one answer can name them all.
import { jsonPointer } from '../contract/json-pointer.ts';
import type { FieldFault } from '../contract/problem.ts';

export type Fields = Readonly<Record<string, unknown>>;

export interface Reader {
  readonly faults: FieldFault[];
  fault(pointer: string, detail: string): void;
  /** The object with all its fields known, or null; fields that are null count as absent. */
  fields(value: unknown, pointer: string, known: readonly string[]): Fields | null;
  list(value: unknown, pointer: string): unknown[] | null;
  text(value: unknown, pointer: string, rule: TextRule): string | null;
  whole(value: unknown, pointer: string, range: { min: number; max: number }): number | null;
  oneOf<T extends string>(value: unknown, pointer: string, allowed: readonly T[], fallback: T): T;
}

export interface TextRule {
  pattern?: RegExp;
  maxLength?: number;
  detail: string;
}

export function createReader(): Reader {
  const faults: FieldFault[] = [];
  const fault = (pointer: string, detail: string): void => void faults.push({ pointer, detail });

  function fields(value: unknown, pointer: string, known: readonly string[]): Fields | null {
    if (!isObject(value)) {
      fault(pointer, 'must be an object');
      return null;
    }
    const entries = Object.entries(value);
    for (const [key] of entries) if (!known.includes(key)) fault(jsonPointer([key], pointer), 'unknown field');
    return Object.fromEntries(entries.filter(([key, item]) => known.includes(key) && item !== null));
  }

  function list(value: unknown, pointer: string): unknown[] | null {
    if (Array.isArray(value)) return value as unknown[];
    fault(pointer, 'must be a list');
    return null;
  }

  function text(value: unknown, pointer: string, { pattern, maxLength = 1024, detail }: TextRule): string | null {
    if (typeof value === 'string' && value.length <= maxLength && (pattern?.test(value) ?? true)) return value;
    fault(pointer, detail);
    return null;
  }

  function whole(value: unknown, pointer: string, { min, max }: { min: number; max: number }): number | null {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    fault(pointer, `must be a whole number from ${min} to ${max}`);
    return null;
  }

  function oneOf<T extends string>(value: unknown, pointer: string, allowed: readonly T[], fallback: T): T {
    if (value === undefined) return fallback;
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) fault(pointer, `must be ${allowed.map((one) => `"${one}"`).join(' or ')}`);
    return found ?? fallback;
  }

  return { faults, fault, fields, list, text, whole, oneOf };
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
