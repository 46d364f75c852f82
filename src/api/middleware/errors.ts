// The one place that turns a thrown error into an answer; what nobody expected is logged and answered without detail.
import type { ErrorRequestHandler } from 'express';

import { InvalidCursorError } from '../../db/list.ts';
import { StoreUnavailableError } from '../../db/pool.ts';
import type { Logger } from '../../telemetry/log.ts';
import { traceIdOf } from '../../telemetry/tracing.ts';
import { ApiError, toProblem } from '../problem.ts';

export function createErrorHandler(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    const { requestId, traceParent } = response.locals;
    const traceId = traceIdOf(traceParent);
    const known = toApiError(error);
    if (known.code === 'internal') log.error({ requestId, traceId, err: error }, 'request failed');
    // Without stacks: they say nothing of a store, and cost most where hundreds hear of it at one moment.
    if (known.code === 'storeUnavailable') log.warn({ requestId, traceId, reason: String(error) }, 'store unavailable');
    if (response.headersSent) return next(error);
    const problem = toProblem(known, requestId);
    // What is left of the body is not read: the connection cannot be used again.
    if (problem.status === 413) response.set('Connection', 'close');
    response.status(problem.status).set(known.headers).type('application/problem+json').send(JSON.stringify(problem));
  };
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof StoreUnavailableError) {
    const detail = 'The request may or may not have been kept. Send it again with the same Idempotency-Key.';
    return new ApiError('storeUnavailable', { detail, headers: { 'Retry-After': '2' } });
  }
  if (error instanceof InvalidCursorError) {
    return new ApiError('validationFailed', {
      errors: [{ pointer: '/query/cursor', detail: 'Not a cursor of this list.' }],
    });
  }
  return isRefusedByExpress(error) ? new ApiError('invalidRequest') : new ApiError('internal');
}

/** Such as a path that is not encoded as one. */
function isRefusedByExpress(error: unknown): boolean {
  const { status } = error as { status?: unknown };
  return typeof status === 'number' && status >= 400 && status < 500;
}
