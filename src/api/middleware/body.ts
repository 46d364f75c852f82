// Reads a JSON body strictly: type, size, encoding and content are checked before a route sees a value.
import type { Request, RequestHandler, Response } from 'express';
import { z } from 'zod';

import { parseStrictJson } from '../../jobs/json/strict-json.ts';
import { parseBySchema } from '../../jobs/spec/faults.ts';
import { ApiError } from '../problem.ts';
import { readBody } from './read-body.ts';

const MIB = 1024 * 1024;
export const BODY_LIMIT_BYTES = MIB;
export const BATCH_BODY_LIMIT_BYTES = 10 * MIB;

const nothing = z.strictObject({});

/** For actions that take nothing: no body at all, or an object without members. */
export function emptyBody(): RequestHandler {
  return jsonBody({ emptyAs: {}, schema: nothing });
}

export interface JsonBodyOptions {
  limitBytes?: number;
  /** A request without a body reads as this; without it, a body is required. */
  emptyAs?: unknown;
  keysPerItemOf?: string | null;
  /** Checked here where the route does not parse the body itself. */
  schema?: z.ZodType;
}

/** Puts the parsed value in `request.body`. */
export function jsonBody({
  limitBytes = BODY_LIMIT_BYTES,
  emptyAs,
  keysPerItemOf = null,
  schema,
}: JsonBodyOptions = {}): RequestHandler {
  assertLimit(limitBytes);

  const parse = (request: Request, bytes: Buffer): unknown => {
    if (bytes.length === 0 && emptyAs !== undefined) return emptyAs;
    if (!isJson(request, bytes)) throw new ApiError('unsupportedMediaType');
    const parsed = parseStrictJson(bytes, { keysPerItemOf });
    if (!parsed.ok) {
      const { code, detail, pointer } = parsed;
      throw new ApiError(code, { detail, errors: [{ pointer, detail }] });
    }
    const checked = schema && parseBySchema(schema, parsed.value);
    if (checked?.ok === false) throw new ApiError('validationFailed', { errors: checked.faults });
    return parsed.value;
  };
  return async (request, response, next) => {
    request.body = parse(request, await readBody(request, bodyLimitOf(response, limitBytes)));
    next();
  };
}

function isJson(request: Request, bytes: Buffer): boolean {
  // Said plainly, as mostly, it need not be taken apart.
  if (bytes.length > 0 && request.headers['content-type'] === 'application/json') return true;
  return Boolean(request.is('application/json'));
}

/** A limit that is no number would be no limit: the process does not start with one. */
export function assertLimit(limitBytes: number): number {
  if (Number.isSafeInteger(limitBytes) && limitBytes > 0) return limitBytes;
  throw new TypeError(`a body limit must be a number of bytes, not ${String(limitBytes)}`);
}

/** What this request may send: the limit of the route, or less where the tenant has a limit of its own. */
export function bodyLimitOf({ locals }: Pick<Response, 'locals'>, limitBytes: number): number {
  return Math.min(limitBytes, locals.maxBodyBytes ?? Infinity);
}
