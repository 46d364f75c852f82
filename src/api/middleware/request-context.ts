// What every request carries: an id (theirs if it is sane, else ours), and who asks.
import type { NextFunction, Request, Response } from 'express';
import { uuidv7 } from 'uuidv7';

declare module 'express-serve-static-core' {
  interface Locals {
    requestId: string;
    tenant: string;
  }
}

export function requestContext(request: Request, response: Response, next: NextFunction): void {
  const given = request.get('x-request-id');
  const requestId = given && /^[A-Za-z0-9_.:-]{1,128}$/.test(given) ? given : uuidv7();
  response.locals.requestId = requestId;
  // Loopback without configuration: one tenant, every scope.
  response.locals.tenant = 'default';
  response.set('X-Request-Id', requestId);
  // Answers are of one tenant and one moment; what may be kept longer says so itself.
  response.set('Cache-Control', 'no-store');
  next();
}
