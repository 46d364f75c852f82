// What the `http` member of a job may hold. The URL and the headers have guards of their own (src/jobs/http).

import { z } from 'zod';

import { atMostMembers, duration, exclusive, integer, printable, withRule } from './rules.ts';

export const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
export const BODY_FIELDS = ['body', 'bodyText', 'bodyBase64'] as const;

const STATUS_CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
const MAX_STATUSES = 100;

const statusMatches = [integer(100, 599), z.enum(STATUS_CLASSES)] as const;

export const statusMatchSchema = z.union(statusMatches, {
  error: 'Must be a status from 100 to 599 or a class such as "2xx".',
});

export const retryTriggerSchema = z.union([...statusMatches, z.enum(['network', 'timeout'])], {
  error: 'Must be "network", "timeout", a status from 100 to 599 or a class such as "5xx".',
});

export const successOnSchema = z.array(statusMatchSchema).min(1).max(MAX_STATUSES);
export const retryOnSchema = z.array(retryTriggerSchema).max(MAX_STATUSES);
export const timeoutSchema = duration({ minMs: 1, max: '10m' });

const headerSchema = z.union(
  [z.string(), z.strictObject({ secret: printable(1, 64), format: printable(1, 256).optional() })],
  { error: 'Must be a string or {"secret", "format"?}.' },
);

const querySchema = atMostMembers(z.record(z.string(), z.string()), 100);

// Counted apart, because a repeated group of four overflows the regex engine on a body of megabytes.
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

const base64Schema = z
  .string()
  .refine(isBase64, { error: 'Must be base64 (RFC 4648, with padding).' })
  .meta({ format: 'byte' });

/** The members of `http`; `null` stands for a body that is not there, as in answers. */
export const httpShape = {
  method: z.enum(HTTP_METHODS).optional(),
  url: z.string(),
  query: querySchema.optional(),
  headers: z.record(z.string(), headerSchema).optional(),
  body: z.unknown().optional(),
  bodyText: z.string().nullish(),
  bodyBase64: base64Schema.nullish(),
  timeout: timeoutSchema.optional(),
  successOn: successOnSchema.optional(),
  followRedirects: z.boolean().optional(),
};

export const httpSchema = withRule(z.strictObject(httpShape), (http) => exclusive(http, BODY_FIELDS));

export type HttpInput = z.infer<typeof httpSchema>;

/** Strict: the unused bits of the last character must be zero, so that each value has one spelling. */
export function isBase64(value: string): boolean {
  if (value.length % 4 !== 0 || !BASE64.test(value)) return false;
  const last = value.slice(-4);
  return Buffer.from(last, 'base64').toString('base64') === last;
}
