// Carries JSON into CEL's types and results back out of them.
import { ExpressionError } from './expression-error.ts';

const MAX_DEPTH = 100;

/** Only the fields of the library's own classes that are read here. */
type Stringable = { toString(): string; readonly constructor: { readonly name: string } };

/**
 * JSON as CEL sees it: whole numbers are ints, other numbers doubles, objects Maps. Maps, because a plain object with
 * a field called `constructor` or `__proto__` would mislead whoever looks at its prototype.
 */
export function toCel(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new ExpressionError(`a value is nested more than ${MAX_DEPTH} deep`);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item) => toCel(item, depth + 1));
  if (typeof value === 'object' && value !== null) {
    const entries = new Map<string, unknown>();
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined) entries.set(key, toCel(item, depth + 1));
    }
    return entries;
  }
  return value === undefined ? null : value;
}

/** A CEL result as JSON: times and durations become texts, bytes base64; what JSON cannot hold is an error. */
export function fromCel(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new ExpressionError(`the result is nested more than ${MAX_DEPTH} deep`);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return wholeNumber(value);
  if (typeof value === 'number') return finiteNumber(value);
  if (Array.isArray(value)) return value.map((item) => fromCel(item, depth + 1));
  if (value instanceof Map) return fromEntries([...(value as Map<unknown, unknown>)], depth);
  if (value instanceof Date) return timeText(value);
  if (value instanceof Uint8Array) return base64(value);
  if (typeof value === 'object') return fromObject(value, depth);
  throw new ExpressionError('the result cannot be written as JSON');
}

function fromObject(value: object, depth: number): unknown {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return fromEntries(Object.entries(value), depth);
  const tag = (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] ?? '';
  if (tag === 'google.protobuf.Duration') return (value as Stringable).toString();
  if (tag.startsWith('value = ')) return wholeNumber(BigInt((value as Stringable).toString()));
  throw new ExpressionError('the result is a type, which cannot be written as JSON');
}

/** `Object.fromEntries` defines fields rather than assigning them, so a key `__proto__` stays a key. */
function fromEntries(entries: [unknown, unknown][], depth: number): unknown {
  return Object.fromEntries(entries.map(([key, item]) => [String(key), fromCel(item, depth + 1)]));
}

function wholeNumber(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new ExpressionError(`the whole number ${value} is beyond 2^53 and would lose digits as JSON`);
}

function finiteNumber(value: number): number {
  if (Number.isFinite(value)) return value === 0 ? 0 : value;
  throw new ExpressionError(`the result is ${value}, which JSON cannot hold`);
}

function timeText(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new ExpressionError('the result is not a valid time');
  return value.toISOString();
}

/** Written out because the workflow sandbox has neither Buffer nor btoa. */
export function base64(bytes: Uint8Array): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const letters = [18, 12, 6, 0].map((shift) => alphabet[(group >> shift) & 63]);
    text += letters
      .slice(0, Math.min(bytes.length - at, 3) + 1)
      .join('')
      .padEnd(4, '=');
  }
  return text;
}
