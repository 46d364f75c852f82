// One field of a cron text: a list of values, ranges and steps, read strictly and turned into the values it means.

/** A piece of the cron text and where it stands there. */
export interface Token {
  text: string;
  at: number;
}

export interface CronFieldKind {
  label: string;
  min: number;
  /** 7 for the day of week: Sunday may end a range. */
  max: number;
  names: readonly string[];
}

export interface SyntaxFault {
  position: number;
  reason: string;
}

export type FieldResult = { values: number[] } | { fault: SyntaxFault };

const MONTH_NAMES = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'] as const;
const DAY_NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const;

export const CRON_FIELDS = [
  { label: 'second', min: 0, max: 59, names: [] },
  { label: 'minute', min: 0, max: 59, names: [] },
  { label: 'hour', min: 0, max: 23, names: [] },
  { label: 'day of month', min: 1, max: 31, names: [] },
  { label: 'month', min: 1, max: 12, names: MONTH_NAMES },
  { label: 'day of week', min: 0, max: 7, names: DAY_NAMES },
] as const satisfies readonly CronFieldKind[];

export function parseCronField(field: Token, kind: CronFieldKind): FieldResult {
  const values = new Set<number>();
  for (const item of splitAt(field, ',')) {
    const result = parseItem(item, kind);
    if ('fault' in result) return result;
    for (const value of result.values) values.add(isDayOfWeek(kind) ? value % 7 : value);
  }
  return { values: [...values].sort((a, b) => a - b) };
}

function parseItem(item: Token, kind: CronFieldKind): FieldResult {
  const [base, step, surplus] = splitAt(item, '/') as [Token, Token?, Token?];
  if (surplus) return fault(surplus.at - 1, 'A value takes one step only.');
  const range = parseRange(base, kind);
  if ('fault' in range) return range;
  if (!step) return { values: valuesOf(range, 1) };

  if (!range.steppable) return fault(step.at - 1, 'A step needs * or a range before it.');
  if (!/^\d{1,2}$/.test(step.text)) return fault(step.at, `${quote(step.text)} is not a step.`);
  const size = Number(step.text);
  if (size === 0) return fault(step.at, 'A step is at least 1.');
  // A larger step never gets past the first value: `*/60` would be a disguised 0.
  if (size > Math.max(1, range.end - range.start)) {
    return fault(step.at, `The step ${size} is larger than its range ${range.start}-${range.end}.`);
  }
  return { values: valuesOf(range, size) };
}

type Range = { start: number; end: number; steppable: boolean };

function parseRange(base: Token, kind: CronFieldKind): Range | { fault: SyntaxFault } {
  if (base.text === '*') return { start: kind.min, end: isDayOfWeek(kind) ? 6 : kind.max, steppable: true };
  const [low, high, surplus] = splitAt(base, '-') as [Token, Token?, Token?];
  if (surplus) return fault(surplus.at - 1, 'A range has one begin and one end.');
  const start = parseValue(low, kind);
  if (typeof start === 'object') return start;
  if (!high) return { start, end: start, steppable: false };

  const parsedEnd = parseValue(high, kind);
  if (typeof parsedEnd === 'object') return parsedEnd;
  const endsOnSunday = isDayOfWeek(kind) && high.text.toUpperCase() === 'SUN' && start > 0;
  const end = endsOnSunday ? 7 : parsedEnd;
  if (start > end) return fault(base.at, `The range ${base.text} begins after its end.`);
  return { start, end, steppable: true };
}

function parseValue(token: Token, kind: CronFieldKind): number | { fault: SyntaxFault } {
  const upper = token.text.toUpperCase();
  const nameIndex = kind.names.indexOf(upper);
  if (nameIndex >= 0) return nameIndex + kind.min;
  const value = /^\d{1,2}$/.test(token.text) ? Number(token.text) : NaN;
  if (value >= kind.min && value <= kind.max) return value;
  if (token.text === '') return fault(token.at, `The ${kind.label} is missing here.`);
  if (/^\d*(L|W|LW|H|[A-Z]{3}L)$/.test(upper)) {
    return fault(token.at, `${quote(token.text)}: L, W and H are not plain cron and are not supported.`);
  }
  return fault(token.at, `${quote(token.text)} is no ${kind.label} (${kind.min}-${kind.max}).`);
}

function valuesOf(range: Range, step: number): number[] {
  const values: number[] = [];
  for (let value = range.start; value <= range.end; value += step) values.push(value);
  return values;
}

function splitAt(token: Token, separator: string): Token[] {
  let at = token.at;
  return token.text.split(separator).map((text) => {
    const part = { text, at };
    at += text.length + 1;
    return part;
  });
}

function isDayOfWeek(kind: CronFieldKind): boolean {
  return kind.max === 7;
}

function fault(position: number, reason: string): { fault: SyntaxFault } {
  return { fault: { position, reason } };
}

function quote(text: string): string {
  return JSON.stringify(text);
}
