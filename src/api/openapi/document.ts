// The vocabulary of the API description: what a resource contributes, and how an operation is written down.
import type { z } from 'zod';

import type { ProblemCode } from '../problem.ts';
import { problemResponses } from './problems.ts';

/** A JSON Schema, or any other node of the document. */
export type Node = { [member: string]: unknown };

export type Method = 'get' | 'put' | 'post' | 'patch' | 'delete';

/** What one resource (one file here) adds to the document. */
export interface Resource {
  tag: { name: string; description: string };
  paths: Record<string, Partial<Record<Method, Node>>>;
  /** Components made from the schemas that requests are parsed with. */
  inputs?: Record<string, z.ZodType>;
  /** Components made from schemas that the compiler holds against the types of the answers. */
  outputs?: Record<string, z.ZodType>;
  /** What a schema cannot say itself, by component and property (or a path from it); what does not exist is an error. */
  notes?: Record<string, Record<string, Node>>;
}

export interface Answer {
  description: string;
  /** The name of a component. */
  schema?: string;
  mediaType?: string;
  example?: unknown;
  headers?: readonly HeaderName[];
}

export type HeaderName = 'IdempotencyReplayed' | 'Location' | 'PreferenceApplied' | 'RetryAfter' | 'RequestId';

export interface OperationOptions {
  id: string;
  summary: string;
  description?: string;
  parameters?: readonly Node[];
  body?: { schema: string; required: boolean; examples?: Record<string, unknown>; mediaTypes?: Record<string, Node> };
  answers: Record<number, Answer>;
  /** Beyond those that any call may meet. */
  problems?: readonly ProblemCode[];
  /** Probes need no token and do not touch the store. */
  open?: boolean;
}

const EVERY_CALL: readonly ProblemCode[] = ['invalidRequest', 'headersTooLarge', 'internal'];
const WITH_TOKEN: readonly ProblemCode[] = [
  'unauthorized',
  'forbidden',
  'validationFailed',
  'tooManyRequests',
  'storeUnavailable',
];
const WITH_BODY: readonly ProblemCode[] = [
  'invalidJson',
  'tooLarge',
  'unsupportedMediaType',
  'jsonTooDeep',
  'jsonTooManyKeys',
  'duplicateKey',
  'forbiddenKey',
  'nulCharacter',
  'loneSurrogate',
  'unsafeNumber',
];

export function operation(
  tag: string,
  { id, summary, description, parameters = [], body, answers, problems = [], open = false }: OperationOptions,
): Node {
  const codes = [...EVERY_CALL, ...(open ? [] : WITH_TOKEN), ...(body ? WITH_BODY : []), ...problems];
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description ? { description } : {}),
    ...(open ? { security: [] } : {}),
    parameters: [...parameters, ref('parameters', 'RequestId')],
    ...(body ? { requestBody: requestBody(body) } : {}),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, response(answer)])),
      ...problemResponses(codes),
    },
  };
}

/** The body of actions that take nothing. */
export const NO_BODY = { schema: 'Nothing', required: false } as const;

export function ref(kind: 'schemas' | 'parameters' | 'headers' | 'examples' | 'responses', name: string): Node {
  return { $ref: `#/components/${kind}/${name}` };
}

const HEADER_NAMES = {
  IdempotencyReplayed: 'Idempotency-Replayed',
  Location: 'Location',
  PreferenceApplied: 'Preference-Applied',
  RequestId: 'X-Request-Id',
  RetryAfter: 'Retry-After',
} as const satisfies Record<HeaderName, string>;

/** Every answer carries the request id. */
export function headersOf(names: readonly HeaderName[]): Node {
  return Object.fromEntries(['RequestId' as const, ...names].map((name) => [HEADER_NAMES[name], ref('headers', name)]));
}

function requestBody({ schema, required, examples, mediaTypes }: NonNullable<OperationOptions['body']>): Node {
  const named = Object.entries(examples ?? {}).map(([name, value]): [string, Node] => [name, { value }]);
  const json = { schema: ref('schemas', schema), ...(named.length > 0 ? { examples: Object.fromEntries(named) } : {}) };
  return { required, content: { 'application/json': json, ...mediaTypes } };
}

function response({ description, schema, mediaType = 'application/json', example, headers = [] }: Answer): Node {
  const content = {
    [mediaType]: {
      schema: schema ? ref('schemas', schema) : { type: 'string' },
      ...(example === undefined ? {} : { example }),
    },
  };
  const isEmpty = schema === undefined && mediaType === 'application/json';
  return { description, headers: headersOf(headers), ...(isEmpty ? {} : { content }) };
}
