// The query of a list: page, time range and filters, refusing what it does not know.

import { jsonPointer } from '../../contract/json-pointer.ts';
import type { FieldFault } from '../../contract/problem.ts';
import { parseTimestamp } from '../../contract/timestamp.ts';
import { faultOfPrintable, TIMESTAMP_FAULT } from '../../jobs/spec/rules.ts';

export interface FilterRule {
  /** All values there are; without it any printable text is taken. */
  values?: readonly string[];
  /** Whether it may be given more than once, meaning OR. */
  repeatable?: boolean;
  /** What is wrong with a value, or null. */
  check?: (value: string) => string | null;
  /** What a value is to the list it filters, where that is not its text. */
  read?: (value: string) => string;
}

/** Names of hosts have no case. */
export const HOST_FILTER: FilterRule = { read: (host) => host.toLowerCase() };

export type FilterRules = Readonly<Record<string, FilterRule>>;

export interface ListQuery {
  limit: number;
  cursor: string | null;
  /** Inclusive. */
  createdAfter: Date | null;
  /** Exclusive. */
  createdBefore: Date | null;
  /** The values of the filters that were given. Of `label` they are JSON objects with the one member. */
  filters: Record<string, string[]>;
}

export type ParsedListQuery = ({ ok: true } & ListQuery) | { ok: false; faults: FieldFault[] };

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;
const MAX_VALUES = 100;
const MAX_VALUE_LENGTH = 512;

const placeRules: FilterRules = {
  limit: { repeatable: false, check: faultOfLimit },
  cursor: { repeatable: false, check: (value) => (/^[\x21-\x7e]+$/.test(value) ? null : 'Not a cursor of a list.') },
};
const pageRules: FilterRules = {
  ...placeRules,
  createdAfter: { repeatable: false, check: faultOfTimestamp },
  createdBefore: { repeatable: false, check: faultOfTimestamp },
};

// `label=key:value` is the same in every list; keys have no colon, values may.
const labelRule: FilterRule = {
  check: (value) => (value.indexOf(':') > 0 ? null : 'Must be key:value.'),
  read: labelJson,
};

/** A list that is not in the order of creation has no times of creation either. */
export function parseListQuery(
  query: URLSearchParams,
  { filters, byCreation = true }: { filters: FilterRules; byCreation?: boolean },
): ParsedListQuery {
  const parsed = parseFilters(query, { ...filters, ...(byCreation ? pageRules : placeRules) });
  if (!parsed.ok) return parsed;
  const given = Object.entries(parsed.filters).filter(([name]) => !Object.hasOwn(pageRules, name));
  return {
    ok: true,
    limit: Number(query.get('limit') ?? DEFAULT_LIMIT),
    cursor: query.get('cursor'),
    createdAfter: parseTimestamp(query.get('createdAfter') ?? ''),
    createdBefore: parseTimestamp(query.get('createdBefore') ?? ''),
    filters: Object.fromEntries(given),
  };
}

/** The values of each parameter that was given; `label` always means the same. */
export function parseFilters(
  query: URLSearchParams,
  filters: FilterRules,
): { ok: true; filters: ListQuery['filters'] } | { ok: false; faults: FieldFault[] } {
  const rules = new Map(Object.entries({ ...filters, ...(filters.label && { label: labelRule }) }));
  const names = [...new Set(query.keys())];
  const faults = names.flatMap((name) => {
    const detail = faultOfParameter(query.getAll(name), rules.get(name));
    return detail === null ? [] : [{ pointer: jsonPointer(['query', name]), detail }];
  });
  if (faults.length > 0) return { ok: false, faults };
  const values = names.map((name) => [name, valuesOf(query.getAll(name), rules.get(name))] as const);
  return { ok: true, filters: Object.fromEntries(values) };
}

function valuesOf(values: string[], rule: FilterRule | undefined): string[] {
  return [...new Set(values)].map((value) => rule?.read?.(value) ?? value);
}

function labelJson(filter: string): string {
  const colon = filter.indexOf(':');
  return JSON.stringify({ [filter.slice(0, colon)]: filter.slice(colon + 1) });
}

function faultOfParameter(values: string[], rule: FilterRule | undefined): string | null {
  if (!rule) return 'Unknown parameter.';
  if (values.length > 1 && rule.repeatable === false) return 'May be given once.';
  if (values.length > MAX_VALUES) return `May be given at most ${MAX_VALUES} times.`;
  for (const value of values) {
    const detail = faultOfValue(value, rule);
    if (detail !== null) return detail;
  }
  return null;
}

function faultOfValue(value: string, { values, check }: FilterRule): string | null {
  if (values && !values.includes(value)) return `Must be one of: ${values.join(', ')}.`;
  return faultOfPrintable(value, 1, MAX_VALUE_LENGTH) ?? check?.(value) ?? null;
}

function faultOfLimit(value: string): string | null {
  const limit = /^\d{1,3}$/.test(value) ? Number(value) : 0;
  return limit >= 1 && limit <= MAX_LIMIT ? null : `Must be a whole number from 1 to ${MAX_LIMIT}.`;
}

function faultOfTimestamp(value: string): string | null {
  return parseTimestamp(value) ? null : TIMESTAMP_FAULT;
}
