// What zod found, as faults with JSON pointers into the input as it was sent.

import type { z } from 'zod';

import { jsonPointer } from '../../contract/json-pointer.ts';
import type { FieldFault } from '../../contract/problem.ts';

export type Parsed<T> = { ok: true; value: T } | { ok: false; faults: FieldFault[] };

/** Parses by a schema; every fault is named, none repeats the value that was sent. */
export function parseBySchema<T extends z.ZodType>(schema: T, input: unknown, basePointer = ''): Parsed<z.output<T>> {
  const result = schema.safeParse(input, { error: wording });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, faults: onePerPointer(result.error.issues.flatMap((issue) => faultsOf(issue, basePointer))) };
}

/** The first fault of each place: a second one there is mostly a consequence of the first. */
export function onePerPointer(faults: FieldFault[]): FieldFault[] {
  const byPointer = new Map<string, FieldFault>();
  for (const fault of faults) if (!byPointer.has(fault.pointer)) byPointer.set(fault.pointer, fault);
  return [...byPointer.values()];
}

function faultsOf(issue: z.core.$ZodIssue, basePointer: string): FieldFault[] {
  const pointer = jsonPointer(issue.path, basePointer);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: jsonPointer([key], pointer), detail: 'Unknown field.' }));
  }
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ pointer, detail: message }));
  return [{ pointer, detail: issue.message }];
}

const TYPE_NAMES: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

function wording(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined && issue.code === 'invalid_type') return 'Required.';
  if (issue.code === 'invalid_type') return `Must be ${TYPE_NAMES[issue.expected] ?? issue.expected}.`;
  if (issue.code === 'invalid_value') return `Must be one of: ${issue.values.map(String).join(', ')}.`;
  if (issue.code === 'too_big' && issue.origin === 'array') return `Must have at most ${issue.maximum} elements.`;
  if (issue.code === 'too_small' && issue.origin === 'array') return `Must have at least ${issue.minimum} elements.`;
  return undefined;
}
