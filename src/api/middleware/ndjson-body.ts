// Reads a body of one JSON value a line as it arrives: no more than a line of the text is held at a time.
import type { Request, RequestHandler } from 'express';

import { parseStrictJson } from '../../jobs/json/strict-json.ts';
import { ApiError } from '../problem.ts';
import { assertLimit, bodyLimitOf } from './body.ts';

export interface NdjsonBodyOptions {
  limitBytes: number;
  maxLines: number;
  /** Where the lines are in what the route reads, such as `/items`. */
  basePointer: string;
}

export const NDJSON = 'application/x-ndjson';

const NEW_LINE = 0x0a;

/** Puts the list of values in `request.body`. Bodies of another type are left to who comes next. */
export function ndjsonBody(options: NdjsonBodyOptions): RequestHandler {
  assertLimit(options.limitBytes);
  return async (request, response, next) => {
    if (!request.is(NDJSON)) return next();
    if ((request.get('content-encoding') ?? 'identity') !== 'identity') {
      throw new ApiError('unsupportedMediaType', { detail: 'Send the body unencoded.' });
    }
    try {
      request.body = await readValues(request, { ...options, limitBytes: bodyLimitOf(response, options.limitBytes) });
    } catch (error) {
      // What is left must be read, or the connection serves no other request.
      request.resume();
      throw error instanceof ApiError ? error : new ApiError('invalidRequest');
    }
    next();
  };
}

async function readValues(request: Request, options: NdjsonBodyOptions): Promise<unknown[]> {
  const values: unknown[] = [];
  let line: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > options.limitBytes) throw new ApiError('tooLarge');
    let start = 0;
    for (let end = chunk.indexOf(NEW_LINE); end >= 0; end = chunk.indexOf(NEW_LINE, start)) {
      line.push(chunk.subarray(start, end));
      addLine(values, Buffer.concat(line), options);
      line = [];
      start = end + 1;
    }
    if (start < chunk.length) line.push(chunk.subarray(start));
  }
  addLine(values, Buffer.concat(line), options);
  return values;
}

function addLine(values: unknown[], line: Buffer, { maxLines, basePointer }: NdjsonBodyOptions): void {
  if (line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09)) return;
  const pointer = `${basePointer}/${values.length}`;
  if (values.length === maxLines) {
    const errors = [{ pointer: basePointer, detail: `Must have at most ${maxLines} elements.` }];
    throw new ApiError('validationFailed', { errors });
  }
  const parsed = parseStrictJson(line);
  if (!parsed.ok) {
    const { code, detail } = parsed;
    throw new ApiError(code, { detail, errors: [{ pointer: pointer + parsed.pointer, detail }] });
  }
  values.push(parsed.value);
}
