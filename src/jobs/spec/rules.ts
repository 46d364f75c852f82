// The building blocks of request schemas: a zod type with our own wording, and rules over several members.

import { z } from 'zod';

import { DURATION_PATTERN, parseDurationMs } from '../../contract/duration.ts';
import { parseTimestamp } from '../../contract/timestamp.ts';

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const DAY_MS = 24 * 60 * MINUTE_MS;
export const YEAR_MS = 365 * DAY_MS;

export type Members = Record<string, unknown>;

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Text with a rule of its own; `find` says what is wrong, or null. */
export function text(find: (value: string) => string | null, about: Record<string, unknown> = {}) {
  return z
    .string()
    .superRefine((value, context) => {
      const detail = find(value);
      if (detail !== null) context.addIssue(detail);
    })
    .meta(about);
}

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Characters are counted as PostgreSQL counts them: by code point. */
export function printable(minLength: number, maxLength: number) {
  return text((value) => faultOfPrintable(value, minLength, maxLength), { minLength, maxLength });
}

export function faultOfPrintable(value: string, minLength: number, maxLength: number): string | null {
  if (value.length < minLength) return 'Must not be empty.';
  const tooLong = value.length > 2 * maxLength || [...value].length > maxLength;
  if (tooLong) return `Must be at most ${maxLength} characters long.`;
  return CONTROL.test(value) ? 'Must not contain control characters.' : null;
}

export interface DurationRange {
  minMs: number;
  /** As it is said to the caller: `10m`. */
  max: string;
}

export function duration({ minMs, max }: DurationRange) {
  const maxMs = parseDurationMs(max) as number;
  const find = (value: string): string | null => {
    const ms = parseDurationMs(value);
    if (ms === null) return 'Must be a duration such as "500ms", "30s", "1h30m", "2d" or "PT1H30M".';
    if (ms < minMs) return minMs === 1 ? 'Must be longer than zero.' : `Must be at least ${minMs}ms.`;
    return ms > maxMs ? `Must be at most ${max}.` : null;
  };
  return text(find, { pattern: DURATION_PATTERN, examples: ['30s'] });
}

export const TIMESTAMP_FAULT = 'Must be an RFC 3339 time with its zone, such as "2026-12-01T12:00:00Z".';

export function timestamp() {
  return text((value) => (parseTimestamp(value) ? null : TIMESTAMP_FAULT), { format: 'date-time' });
}

export function integer(minimum: number, maximum: number) {
  const error = `Must be a whole number from ${minimum} to ${maximum}.`;
  return z.int({ error }).min(minimum, { error }).max(maximum, { error });
}

export function number(minimum: number, maximum: number) {
  const error = `Must be a number from ${minimum} to ${maximum}.`;
  return z.number({ error }).min(minimum, { error }).max(maximum, { error });
}

export interface MemberFault {
  path: PropertyKey[];
  detail: string;
}

/** A rule over several members, judged also when some of them are faulty, so that all faults are named at once. */
export function withRule<T extends z.ZodType>(schema: T, find: (value: Members) => MemberFault[]): T {
  return schema.superRefine(
    (value, context) => {
      for (const { path, detail } of find(value as Members)) {
        context.addIssue({ code: 'custom', path, message: detail });
      }
    },
    { when: ({ value }) => isMembers(value) },
  );
}

export function atMostMembers<T extends z.ZodType>(schema: T, max: number): T {
  const tooMany = [{ path: [], detail: `Must have at most ${max} members.` }];
  return withRule(schema, (value) => (Object.keys(value).length > max ? tooMany : []));
}

/** One fault for each of the members that were sent although they exclude each other. */
export function exclusive(value: Members, names: readonly string[]): MemberFault[] {
  const sent = names.filter((name) => value[name] !== undefined && value[name] !== null);
  if (sent.length < 2) return [];
  return sent.map((name) => ({ path: [name], detail: `Only one of ${names.join(', ')} may be given.` }));
}

/** One fault for each element of a list that occurred before. */
export function repeated(list: unknown, path: PropertyKey[] = []): MemberFault[] {
  if (!Array.isArray(list)) return [];
  const seen = new Set<unknown>();
  const faults: MemberFault[] = [];
  for (const [index, element] of list.entries()) {
    if (seen.has(element)) faults.push({ path: [...path, index], detail: 'Occurs more than once.' });
    seen.add(element);
  }
  return faults;
}
