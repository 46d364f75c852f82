// Reads a JSON body strictly: type, size, encoding and content are checked before a route sees a value.
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';

import { parseStrictJson } from '../../jobs/json/strict-json.ts';
import { parseBySchema } from '../../jobs/spec/faults.ts';
import { ApiError } from '../problem.ts';

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
  schema = z.unknown(),
}: JsonBodyOptions = {}): RequestHandler {
  const read = limitedReader(limitBytes);
  const parse = (request: Request, _response: Response, next: NextFunction): void => {
    const body: unknown = request.body;
    const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    if (bytes.length === 0 && emptyAs !== undefined) {
      request.body = emptyAs;
      return next();
    }
    if (!request.is('application/json')) throw new ApiError('unsupportedMediaType');
    const parsed = parseStrictJson(bytes, { keysPerItemOf });
    if (!parsed.ok) {
      const { code, detail, pointer } = parsed;
      throw new ApiError(code, { detail, errors: [{ pointer, detail }] });
    }
    const checked = parseBySchema(schema, parsed.value);
    if (!checked.ok) throw new ApiError('validationFailed', { errors: checked.faults });
    request.body = parsed.value;
    next();
  };
  return (request, response, next) => {
    void read(request, response, (error?: unknown) => {
      if (error) return next(error);
      try {
        parse(request, response, next);
      } catch (fault) {
        next(fault);
      }
    });
  };
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

/** One reader for each limit there is; those of tenants come from configuration, so they are few. */
function limitedReader(limitBytes: number): RequestHandler {
  const readers = new Map<number, RequestHandler>();
  const readerFor = (limit: number): RequestHandler => {
    const reader = readers.get(limit) ?? express.raw({ type: () => true, limit, inflate: false });
    readers.set(limit, reader);
    return reader;
  };
  readerFor(assertLimit(limitBytes));
  return (request, response, next) => readerFor(bodyLimitOf(response, limitBytes))(request, response, next);
}
