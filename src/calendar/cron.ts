// The strict cron grammar: five fields, or six with seconds first, read into the values each field may have.
import { CRON_FIELDS, parseCronField, type SyntaxFault, type Token } from './cron-field.ts';

/** Each list is sorted and free of repeats; Sunday is 0. */
export interface CronSpec {
  second: number[];
  minute: number[];
  hour: number[];
  dayOfMonth: number[];
  month: number[];
  dayOfWeek: number[];
  /** Vixie's rule: a day must match both day fields when one begins with `*`, else either. */
  days: 'both' | 'either';
}

export type CronResult =
  { ok: true; cron: CronSpec } | { ok: false; code: 'syntax' | 'neverFires'; position: number; reason: string };

const MAX_TEXT_LENGTH = 256;
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

const ALIASES = new Map([
  ['@hourly', '0 * * * *'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@weekly', '0 0 * * 0'],
  ['@monthly', '0 0 1 * *'],
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
]);

/** `position` is the index into `text` where the fault begins. */
export function parseCron(text: string): CronResult {
  if (text.length > MAX_TEXT_LENGTH) {
    return refuse({
      position: MAX_TEXT_LENGTH,
      reason: `A cron text has at most ${MAX_TEXT_LENGTH} characters, this one ${text.length}.`,
    });
  }
  const strange = findStrangeCharacter(text);
  if (strange) return refuse(strange);

  const tokens = [...text.matchAll(/[^ \t]+/g)].map((match): Token => ({ text: match[0], at: match.index }));
  const first = tokens[0];
  if (!first) return refuse({ position: 0, reason: 'The cron text is empty.' });
  if (first.text.startsWith('@')) return parseAlias(first, tokens[1]);
  return parseFields(tokens, text);
}

function parseAlias(alias: Token, next: Token | undefined): CronResult {
  const meaning = ALIASES.get(alias.text.toLowerCase());
  if (meaning === undefined) {
    return refuse({ position: alias.at, reason: `"${alias.text}" is not one of ${[...ALIASES.keys()].join(', ')}.` });
  }
  if (next) return refuse({ position: next.at, reason: `Nothing may follow ${alias.text}.` });
  return parseCron(meaning);
}

function parseFields(tokens: Token[], text: string): CronResult {
  if (tokens.length < 5 || tokens.length > 6) {
    return refuse({
      position: tokens[6]?.at ?? text.length,
      reason: `A cron text has 5 fields, or 6 with seconds first; this one has ${tokens.length}.`,
    });
  }
  const fields = tokens.length === 6 ? tokens : [{ text: '0', at: 0 }, ...tokens];
  const values: number[][] = [];
  for (const [index, kind] of CRON_FIELDS.entries()) {
    const field = parseCronField(fields[index] as Token, kind);
    if ('fault' in field) return refuse(field.fault);
    values.push(field.values);
  }

  const [second, minute, hour, dayOfMonth, month, dayOfWeek] = values as [
    number[],
    number[],
    number[],
    number[],
    number[],
    number[],
  ];
  const dayField = fields[3] as Token;
  const starred = dayField.text.startsWith('*') || (fields[5] as Token).text.startsWith('*');
  const days = starred ? 'both' : 'either';
  // Any date that exists falls on every weekday sooner or later, so only the date can make a text void.
  if (days === 'both' && !month.some((number) => Number(dayOfMonth[0]) <= Number(LONGEST_MONTHS[number - 1]))) {
    return { ok: false, code: 'neverFires', position: dayField.at, reason: 'No month named here has such a day.' };
  }
  return { ok: true, cron: { second, minute, hour, dayOfMonth, month, dayOfWeek, days } };
}

/** Looked for before splitting, so that a line break or a full-width digit is named as what it is. */
function findStrangeCharacter(text: string): SyntaxFault | undefined {
  const position = text.search(/[^0-9A-Za-z*,/\-@ \t]/);
  if (position < 0) return undefined;
  const character = String.fromCodePoint(text.codePointAt(position) as number);
  if (/[\r\n\v\f\u0085\u2028\u2029]/.test(character)) return { position, reason: 'A cron text is a single line.' };
  if (character === '#' || character === '?') {
    return { position, reason: `${character} is not plain cron and is not supported.` };
  }
  return { position, reason: `${JSON.stringify(character)} does not belong into a cron text.` };
}

function refuse(fault: SyntaxFault): CronResult {
  return { ok: false, code: 'syntax', ...fault };
}
