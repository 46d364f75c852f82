// The words of a JSON text: each function moves the cursor behind one of them, or throws where the syntax breaks.

export interface Cursor {
  readonly text: string;
  at: number;
}

/** What a string may hold by the syntax of JSON, but not by ours. */
export type BadText = 'nulCharacter' | 'loneSurrogate' | null;

export class JsonSyntaxError extends Error {}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERAL = /true|false|null/y;
const HEX = /[0-9a-fA-F]{4}/y;

export function skipSpace(cursor: Cursor): void {
  for (; ; cursor.at += 1) {
    const code = cursor.text.charCodeAt(cursor.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
  }
}

export function isNext(cursor: Cursor, code: number): boolean {
  return cursor.text.charCodeAt(cursor.at) === code;
}

export function expectNext(cursor: Cursor, code: number): void {
  if (!isNext(cursor, code)) throw new JsonSyntaxError();
  cursor.at += 1;
}

export function startsString(cursor: Cursor): boolean {
  return isNext(cursor, QUOTE);
}

export function startsNumber(cursor: Cursor): boolean {
  const code = cursor.text.charCodeAt(cursor.at);
  return code === MINUS || isDigit(code);
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

export function readString(cursor: Cursor): { escaped: boolean; bad: BadText } {
  let escaped = false;
  let bad: BadText = null;
  let high = false;
  for (expectNext(cursor, QUOTE); ; cursor.at += 1) {
    // A half that the plain text would follow is alone.
    if (!high) skipPlain(cursor);
    let unit = cursor.text.charCodeAt(cursor.at);
    if (unit === QUOTE) break;
    // A control character, or NaN for the end of the text.
    if (!(unit >= 0x20)) throw new JsonSyntaxError();
    if (unit === BACKSLASH) {
      escaped = true;
      unit = readEscape(cursor);
      if (unit === 0) bad ??= 'nulCharacter';
    }
    const low = unit >= 0xdc00 && unit <= 0xdfff;
    if (low !== high) bad ??= 'loneSurrogate';
    high = unit >= 0xd800 && unit <= 0xdbff;
  }
  cursor.at += 1;
  if (high) bad ??= 'loneSurrogate';
  return { escaped, bad };
}

/** Most characters need no more than this tight loop. */
function skipPlain(cursor: Cursor): void {
  const { text } = cursor;
  let { at } = cursor;
  for (; ; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE || unit === BACKSLASH || !(unit >= 0x20 && unit < 0xd800)) break;
  }
  cursor.at = at;
}

/** How the number is spelled; null for a short whole one, which is common and always harmless. */
export function readNumber(cursor: Cursor): string | null {
  let end = cursor.at;
  while (isDigit(cursor.text.charCodeAt(end))) end += 1;
  const digits = end - cursor.at;
  const goesOn = '.eE'.includes(cursor.text.charAt(end) || ' ');
  if (goesOn || digits === 0 || digits > 15 || isNext(cursor, ZERO)) return readPattern(cursor, NUMBER);
  cursor.at = end;
  return null;
}

export function readLiteral(cursor: Cursor): string {
  return readPattern(cursor, LITERAL);
}

/** The code unit an escape stands for (any harmless one for the short escapes); stays on its last character. */
function readEscape(cursor: Cursor): number {
  cursor.at += 1;
  const letter = cursor.text.charAt(cursor.at);
  if (letter !== 'u') {
    if (letter === '' || !'"\\/bfnrt'.includes(letter)) throw new JsonSyntaxError();
    return QUOTE;
  }
  cursor.at += 1;
  const digits = readPattern(cursor, HEX);
  cursor.at -= 1;
  return Number.parseInt(digits, 16);
}

function readPattern(cursor: Cursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.at;
  const start = cursor.at;
  if (!pattern.test(cursor.text)) throw new JsonSyntaxError();
  cursor.at = pattern.lastIndex;
  return cursor.text.slice(start, cursor.at);
}
