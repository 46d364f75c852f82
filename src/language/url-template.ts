// URLs with `${ … }`: what is put in can fill path and query, and can never choose another host.
import type { FieldFault } from '../contract/problem.ts';
import type { Scope } from './expression.ts';
import { evaluate } from './expression.ts';
import { ExpressionError } from './expression-error.ts';
import type { PlacedExpression, TextPart } from './template.ts';
import { compileParts, textOf } from './template.ts';

export interface UrlTemplate {
  parts: TextPart[];
  origin: string;
}

export interface CompiledUrl {
  /** Null when there are faults. */
  template: UrlTemplate | null;
  expressions: PlacedExpression[];
  faults: FieldFault[];
}

// Up to the character that ends the authority. No user info, no backslash (which browsers read as a slash).
const STATIC_START = /^https?:\/\/[^/?#\\@\s]+(?=[/?])/i;
const STATIC_URL = /^https?:\/\/[^/?#\\@\s]+(?:[/?#]|$)/i;
const PLACEHOLDER = 'x';

export function compileUrl(text: string, pointer: string): CompiledUrl {
  const { parts, faults } = compileParts(text, pointer);
  const expressions = parts.flatMap((part) => (typeof part === 'string' ? [] : [{ pointer, expression: part }]));
  if (faults.length > 0) return { template: null, expressions, faults };
  const fault = faultOf(parts);
  if (fault !== null) return { template: null, expressions, faults: [{ pointer, detail: fault }] };
  const origin = originOf(sampleOf(parts));
  if (origin === null) return { template: null, expressions, faults: [{ pointer, detail: 'is not a URL' }] };
  return { template: { parts, origin }, expressions, faults: [] };
}

/** The URL with every value percent-encoded; an `ExpressionError` if a value would change more than its own place. */
export function renderUrl(template: UrlTemplate, scope: Scope): string {
  let url = '';
  for (const part of template.parts) {
    if (typeof part === 'string') url += part;
    else url += encodeValue(evaluate(part, scope), !url.includes('?'));
  }
  assertSameTarget(template, url);
  return url;
}

/** The URL with a placeholder for every expression: what can be checked before the values are known. */
export function sampleUrl(template: UrlTemplate): string {
  return sampleOf(template.parts);
}

function faultOf(parts: TextPart[]): string | null {
  const [start] = parts;
  const isStatic = parts.every((part) => typeof part === 'string');
  const begins = typeof start === 'string' && (isStatic ? STATIC_URL : STATIC_START).test(start);
  if (!begins) {
    return isStatic
      ? 'must be an http or https URL without user info'
      : 'must begin with http(s)://host/ in plain text: ${ } can only fill path and query';
  }
  const fragmentAt = parts.findIndex((part) => typeof part === 'string' && part.includes('#'));
  const filledAfter = fragmentAt >= 0 && parts.slice(fragmentAt).some((part) => typeof part !== 'string');
  return filledAfter ? '${ } cannot be part of the fragment, which is never sent' : null;
}

function encodeValue(value: unknown, inPath: boolean): string {
  if (value === null) throw new ExpressionError('null cannot be put into a URL');
  const text = textOf(value);
  if (text === '' && inPath) throw new ExpressionError('an empty text cannot be put into the path of a URL');
  if (!text.isWellFormed()) throw new ExpressionError('the text put into a URL is not well-formed Unicode');
  return encodeURIComponent(text);
}

function assertSameTarget(template: UrlTemplate, url: string): void {
  if (originOf(url) !== template.origin) throw new ExpressionError('the URL would lead to another host');
  // Dots that came in through a value; `%2e` cannot, its percent sign would be encoded. Written ones are the author's.
  if (dotSegments(url) !== dotSegments(sampleOf(template.parts))) {
    throw new ExpressionError('a value put into a URL may not make a path segment of only dots');
  }
}

function dotSegments(url: string): number {
  const path = url.split(/[?#]/, 1)[0] ?? '';
  return path.split('/').filter((segment) => /^(\.|%2e){1,2}$/i.test(segment)).length;
}

function originOf(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const parsed = new URL(url);
  return parsed.username === '' && parsed.password === '' ? parsed.origin : null;
}

function sampleOf(parts: TextPart[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : PLACEHOLDER)).join('');
}
