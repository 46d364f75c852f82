// The parameters and headers that operations refer to by name.
import type { Node } from './document.ts';
import { ref } from './document.ts';
import { ID_PATTERN } from './schemas.ts';

const text: Node = { type: 'string', minLength: 1, maxLength: 512 };

export const PARAMETERS: Record<string, Node> = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'One key, one creation. The first request is answered 201; the same content again 200 with the identical body and ' +
      '`Idempotency-Replayed: true`; other content 422. 1 to 255 visible ASCII characters, quoted or not.',
    schema: { type: 'string', pattern: '^(?:"[!-~]{1,255}"|[!#-~][!-~]{0,254})$', maxLength: 257 },
    example: 'order-42',
  },
  Prefer: {
    name: 'Prefer',
    in: 'header',
    description: '`wait=20`: answer when what was created is final, or after that many seconds (at most 60).',
    schema: { type: 'string' },
    example: 'wait=20',
  },
  RequestId: {
    name: 'X-Request-Id',
    in: 'header',
    description: 'Taken over when it is 1 to 128 of `A-Za-z0-9_.:-`, else one is made.',
    schema: { type: 'string' },
  },
  Limit: {
    name: 'limit',
    in: 'query',
    description: 'How many items a page holds.',
    schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
  },
  Cursor: {
    name: 'cursor',
    in: 'query',
    description: '`nextCursor` of the page before.',
    schema: { type: 'string', minLength: 1, maxLength: 512, pattern: '^[!-~]+$' },
  },
  CreatedAfter: {
    name: 'createdAfter',
    in: 'query',
    description: 'Inclusive.',
    schema: { type: 'string', format: 'date-time' },
    example: '2026-11-01T00:00:00Z',
  },
  CreatedBefore: {
    name: 'createdBefore',
    in: 'query',
    description: 'Exclusive.',
    schema: { type: 'string', format: 'date-time' },
    example: '2027-11-01T00:00:00Z',
  },
  Wait: {
    name: 'wait',
    in: 'query',
    description: 'Answer as soon as it is final, or at the end of this time; at most `60s`.',
    schema: ref('schemas', 'Duration'),
    example: '5s',
  },
  Label: filter('label', 'By `key:value`.', { ...text, pattern: '^[^:\\x00-\\x1f]+:' }, 'team:billing'),
};

export const HEADERS: Record<string, Node> = {
  RequestId: { description: 'Names this request in logs and errors.', required: true, schema: { type: 'string' } },
  IdempotencyReplayed: {
    description: '`true` when this is the answer to an earlier request with the same key.',
    schema: { type: 'string', enum: ['true'] },
  },
  Location: { description: 'Where it can be read.', required: true, schema: { type: 'string' } },
  PreferenceApplied: { description: 'The wait that was granted.', schema: { type: 'string' }, example: 'wait=20' },
  RetryAfter: {
    description: 'Seconds after which to try again.',
    required: true,
    schema: { type: 'string', pattern: '^\\d+$' },
    example: '2',
  },
};

/** Of a list in an order of its own. */
export const PLACE = ['Limit', 'Cursor'].map((name) => ref('parameters', name));
export const PAGE = [...PLACE, ...['CreatedAfter', 'CreatedBefore'].map((name) => ref('parameters', name))];
export const LABEL = ref('parameters', 'Label');
export const WAIT = ref('parameters', 'Wait');
export const IDEMPOTENCY_KEY = ref('parameters', 'IdempotencyKey');
export const PREFER = ref('parameters', 'Prefer');

/** A filter that may be repeated, meaning "or". */
export function filter(name: string, description: string, schema: Node = text, example?: unknown): Node {
  const items = schema.enum ? schema : { ...text, ...schema };
  return {
    name,
    in: 'query',
    description: `${description} Repeated: any of them.`,
    schema: { type: 'array', items, maxItems: 100 },
    ...(example === undefined ? {} : { example: [example] }),
  };
}

export function pathId(name: string, example: string): Node {
  return { name, in: 'path', required: true, schema: { type: 'string', pattern: ID_PATTERN }, example };
}
