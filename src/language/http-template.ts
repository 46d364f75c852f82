// The HTTP call of a step: compiled with its faults, a sample to check beforehand, the call itself once values are known.
import { jsonPointer } from '../contract/json-pointer.ts';
import type { FieldFault } from '../contract/problem.ts';
import type { Scope } from './expression.ts';
import { ExpressionError } from './expression-error.ts';
import type { PlacedExpression, Template } from './template.ts';
import { compileTemplate, renderTemplate, textOf } from './template.ts';
import type { UrlTemplate } from './url-template.ts';
import { compileUrl, renderUrl, sampleUrl } from './url-template.ts';

export type HttpInput = Readonly<Record<string, unknown>>;

export interface HttpTemplate {
  url: UrlTemplate;
  /** All other fields; only those below hold templates. */
  fields: [string, Template][];
}

export interface CompiledHttp {
  /** Null when there are faults. */
  template: HttpTemplate | null;
  /** The call with placeholders for expressions, to be checked like any other; null when there is no URL to check. */
  sample: HttpInput | null;
  expressions: PlacedExpression[];
  faults: FieldFault[];
}

const TEMPLATED_FIELDS = new Set(['query', 'headers', 'body', 'bodyText', 'bodyBase64']);
const TEXT_FIELDS = new Set(['query', 'headers']);
/** Valid as text, header, query value and base64 alike. */
const PLACEHOLDER = 'xxxx';

export function compileHttp(http: HttpInput, pointer: string): CompiledHttp {
  const url = compileUrl(typeof http['url'] === 'string' ? http['url'] : '', `${pointer}/url`);
  const expressions = [...url.expressions];
  const faults = [...url.faults];
  const fields: [string, Template][] = [];
  const sample: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(http)) {
    if (key === 'url') continue;
    const compiled = TEMPLATED_FIELDS.has(key) ? compileTemplate(value, jsonPointer([key], pointer)) : null;
    const template: Template = compiled?.template ?? { kind: 'constant', value };
    expressions.push(...(compiled?.expressions ?? []));
    faults.push(...(compiled?.faults ?? []));
    if (TEXT_FIELDS.has(key)) faults.push(...nestedTemplates(template, jsonPointer([key], pointer)));
    fields.push([key, template]);
    sample[key] = sampleOf(template);
  }
  return {
    template: url.template === null || faults.length > 0 ? null : { url: url.template, fields },
    sample: url.template === null ? null : { ...sample, url: sampleUrl(url.template) },
    expressions,
    faults,
  };
}

/**
 * Query and header values become text; one that is null as a whole is left out. The result is input like any other and
 * must be checked like it.
 */
export function renderHttp(template: HttpTemplate, scope: Scope): HttpInput {
  const rendered = template.fields.map(([key, field]) => [
    key,
    TEXT_FIELDS.has(key) ? renderTexts(field, scope) : renderTemplate(field, scope),
  ]);
  return { ...Object.fromEntries(rendered), url: renderUrl(template.url, scope) } as HttpInput;
}

/** Only what was written as an object stays one: a value that looks like a secret's name must not become its value. */
function renderTexts(field: Template, scope: Scope): unknown {
  if (field.kind === 'constant') return field.value;
  if (field.kind !== 'object') throw new ExpressionError('query and headers must be written as objects');
  const entries = field.entries.flatMap(([key, item]): [string, unknown][] => {
    if (item.kind === 'constant') return [[key, item.value]];
    const value = renderTemplate(item, scope);
    return value === null ? [] : [[key, textOf(value)]];
  });
  return Object.fromEntries(entries);
}

/** The name of a secret is written, never computed: otherwise an input could choose among all secrets. */
function nestedTemplates(field: Template, pointer: string): FieldFault[] {
  if (field.kind !== 'object') return [];
  return field.entries
    .filter(([, item]) => item.kind === 'object' || item.kind === 'list')
    .map(([key]) => ({
      pointer: jsonPointer([key], pointer),
      detail: '${ } must give the whole value or part of a text',
    }));
}

function sampleOf(template: Template): unknown {
  switch (template.kind) {
    case 'constant':
      return template.value;
    case 'expression':
    case 'text':
      return PLACEHOLDER;
    case 'list':
      return template.items.map((item) => sampleOf(item));
    case 'object':
      return Object.fromEntries(template.entries.map(([key, item]) => [key, sampleOf(item)]));
  }
}
