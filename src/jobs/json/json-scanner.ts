// One pass over a JSON text, without recursion: its syntax, and the rules JSON.parse does not have.

import { jsonPointer } from '../../contract/json-pointer.ts';
import {
  type BadText,
  type Cursor,
  expectNext,
  isNext,
  JsonSyntaxError,
  readLiteral,
  readNumber,
  readString,
  skipSpace,
  startsNumber,
  startsString,
} from './json-lexer.ts';

export type JsonFaultCode =
  | 'invalidJson'
  | 'jsonTooDeep'
  | 'jsonTooManyKeys'
  | 'duplicateKey'
  | 'forbiddenKey'
  | 'nulCharacter'
  | 'loneSurrogate'
  | 'unsafeNumber';

/** `pointer` is the RFC 6901 place of the fault; of a syntax error it is the root. */
export interface JsonFault {
  status: 400 | 422;
  code: JsonFaultCode;
  detail: string;
  pointer: string;
}

export interface JsonLimits {
  maxDepth: number;
  maxKeys: number;
  /** Name of a top-level list whose elements are each given `maxKeys` of their own. */
  keysPerItemOf: string | null;
}

/** An open object or list. `token` is the key or the index of the member being read. */
interface Frame {
  isObject: boolean;
  token: string | number;
  seen: Set<string>;
}

interface Scan extends Cursor {
  readonly limits: JsonLimits;
  readonly frames: Frame[];
  keys: number;
  fault: JsonFault | null;
}

const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

// A setter or a shared prototype behind one of these names turns data into behaviour.
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);
const NO_KEYS = new Set<string>();

/** The first fault, or null. A text that is no JSON is said to be so, whatever else is wrong with it but its depth. */
export function scanJson(text: string, limits: JsonLimits): JsonFault | null {
  const scan: Scan = { text, at: 0, limits, frames: [], keys: 0, fault: null };
  try {
    do {
      skipSpace(scan);
      if (readValue(scan)) afterValue(scan);
      // Too deep ends the scan: to check the rest would cost more than it tells.
      if (scan.frames.length > limits.maxDepth) return scan.fault;
    } while (scan.frames.length > 0);
    skipSpace(scan);
    if (scan.at < text.length) throw new JsonSyntaxError();
    return scan.fault;
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return { status: 400, code: 'invalidJson', detail: syntaxDetail(text, scan.at), pointer: '' };
  }
}

/** True when a value was read whole; false when a container was opened and its first value is next. */
function readValue(scan: Scan): boolean {
  if (startsString(scan)) noteText(scan, readString(scan).bad);
  else if (startsNumber(scan)) checkNumber(scan, readNumber(scan));
  else if (isNext(scan, OPEN_OBJECT)) return openContainer(scan, true);
  else if (isNext(scan, OPEN_LIST)) return openContainer(scan, false);
  else readLiteral(scan);
  return true;
}

function openContainer(scan: Scan, isObject: boolean): boolean {
  const { maxDepth } = scan.limits;
  if (scan.frames.length >= maxDepth) note(scan, 'jsonTooDeep', `The JSON is nested deeper than ${maxDepth} levels.`);
  const frame = { isObject, token: isObject ? '' : 0, seen: isObject && !scan.fault ? new Set<string>() : NO_KEYS };
  scan.frames.push(frame);
  scan.at += 1;
  skipSpace(scan);
  if (closed(scan, frame)) return true;
  startMember(scan, frame);
  return false;
}

/** Goes to the next value of the innermost container, closing those that end here. */
function afterValue(scan: Scan): void {
  for (let frame = scan.frames.at(-1); frame; frame = scan.frames.at(-1)) {
    skipSpace(scan);
    if (closed(scan, frame)) continue;
    expectNext(scan, COMMA);
    skipSpace(scan);
    if (typeof frame.token === 'number') frame.token += 1;
    startMember(scan, frame);
    return;
  }
}

function closed(scan: Scan, frame: Frame): boolean {
  if (!isNext(scan, frame.isObject ? CLOSE_OBJECT : CLOSE_LIST)) return false;
  scan.at += 1;
  if (isItemList(scan, frame)) scan.keys = 0;
  scan.frames.pop();
  return true;
}

function startMember(scan: Scan, frame: Frame): void {
  if (frame.isObject) readKey(scan, frame);
  else if (isItemList(scan, frame)) scan.keys = 0;
}

function isItemList({ limits, frames }: Scan, frame: Frame): boolean {
  if (limits.keysPerItemOf === null || frames.length !== 2 || frame.isObject) return false;
  return frames[0]?.token === limits.keysPerItemOf;
}

function readKey(scan: Scan, frame: Frame): void {
  const start = scan.at;
  const { escaped, bad } = readString(scan);
  if (!scan.fault) {
    const raw = scan.text.slice(start, scan.at);
    frame.token = escaped ? (JSON.parse(raw) as string) : raw.slice(1, -1);
    checkKey(scan, frame, frame.token, bad);
  }
  skipSpace(scan);
  expectNext(scan, COLON);
}

function checkKey(scan: Scan, frame: Frame, key: string, bad: BadText): void {
  const { maxKeys } = scan.limits;
  scan.keys += 1;
  noteText(scan, bad);
  if (FORBIDDEN_KEYS.has(key)) note(scan, 'forbiddenKey', 'This key is not allowed.');
  if (frame.seen.has(key)) note(scan, 'duplicateKey', 'This key occurs twice in its object.');
  if (scan.keys > maxKeys) note(scan, 'jsonTooManyKeys', `The JSON has more than ${maxKeys} keys.`);
  frame.seen.add(key);
}

function noteText(scan: Scan, bad: BadText): void {
  if (bad === 'nulCharacter') note(scan, bad, 'Text must not contain the NUL character.');
  if (bad === 'loneSurrogate') note(scan, bad, 'Text must not contain half of a surrogate pair.');
}

function checkNumber(scan: Scan, spelling: string | null): void {
  if (spelling === null) return;
  const value = Number(spelling);
  if (!Number.isFinite(value)) note(scan, 'unsafeNumber', 'This number is too large.');
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return;
  // With an exponent it is a measurement, which a double holds as well as it can; written out, every digit counts.
  if (/[eE]/.test(spelling)) return;
  note(scan, 'unsafeNumber', 'This number is beyond 2^53 - 1 and would lose digits; send it as a string.');
}

function note(scan: Scan, code: JsonFaultCode, detail: string): void {
  // The place is shown in answers, so it must itself be text that any reader takes.
  scan.fault ??= { status: 422, code, detail, pointer: jsonPointer(scan.frames.map(({ token }) => shown(token))) };
}

function shown(token: string | number): string | number {
  return typeof token === 'string' ? token.toWellFormed().replaceAll('\0', '\uFFFD') : token;
}

/** Says where, and never repeats what was sent: it may hold a secret. */
function syntaxDetail(text: string, position: number): string {
  if (position >= text.length) return 'The body is not valid JSON: it ends too early.';
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  const column = position - before.lastIndexOf('\n');
  return `The body is not valid JSON: unexpected character at line ${line}, column ${column} (position ${position}).`;
}
