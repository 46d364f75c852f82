// What every request carries: an id (theirs if it is sane, else ours), and later who asks and for what.
import type { NextFunction, Request, Response } from 'express';

import type { Principal } from '../../contract/access.ts';
import { newUuid } from '../../jobs/ids.ts';
import type { RouteAccess } from '../auth/route-access.ts';

declare module 'express-serve-static-core' {
  interface Locals {
    requestId: string;
    /** Set by authentication: what needs none has none. */
    principal: Principal;
    tenant: string;
    /** Set where the route was found and the scope was enough. */
    access?: RouteAccess & { params: Record<string, string> };
    /** What a route adds to its audit row; never a secret. */
    auditDetail?: Record<string, unknown>;
  }
}

export function requestContext(request: Request, response: Response, next: NextFunction): void {
  const given = request.get('x-request-id');
  const requestId = given && /^[A-Za-z0-9_.:-]{1,128}$/.test(given) ? given : newUuid();
  response.locals.requestId = requestId;
  response.setHeader('X-Request-Id', requestId);
  // Answers are of one tenant and one moment; what may be kept longer says so itself.
  response.setHeader('Cache-Control', 'no-store');
  next();
}
