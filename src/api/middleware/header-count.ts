// Refuses a request with too many headers: Node would drop the last of them without a word, such as an Idempotency-Key.
import type { NextFunction, Request, Response } from 'express';

import { ApiError } from '../problem.ts';

const MAX_HEADERS = 100;

export function headerCount({ rawHeaders }: Request, _response: Response, next: NextFunction): void {
  if (rawHeaders.length / 2 <= MAX_HEADERS) return next();
  throw new ApiError('headersTooLarge', { detail: `A request may have at most ${MAX_HEADERS} headers.` });
}
