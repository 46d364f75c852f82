// What holds for a tenant holds from here on: its requests a second, the size of its bodies, its rows and no others.
import type { RequestHandler } from 'express';

import type { Database } from '../../db/pool.ts';
import type { Quotas } from '../../jobs/quotas.ts';
import { ApiError } from '../problem.ts';

declare module 'express-serve-static-core' {
  interface Locals {
    /** Where the tenant's limit is below that of the route. */
    maxBodyBytes?: number;
  }
}

/** After authentication: `response.locals.tenant` is who asks. */
export function createTenantWall({ db, quotas }: { db: Database; quotas: Quotas }): RequestHandler {
  return async (_request, response, next) => {
    const { tenant } = response.locals;
    const { requestsPerSecond, bodyBytes } = await quotas.of(tenant);
    const retryAfterSeconds = quotas.takeRequest(tenant, requestsPerSecond);
    if (retryAfterSeconds !== null) {
      throw new ApiError('tooManyRequests', {
        detail: `The tenant may make ${requestsPerSecond} requests a second.`,
        headers: { 'Retry-After': String(retryAfterSeconds) },
      });
    }
    if (bodyBytes > 0) response.locals.maxBodyBytes = bodyBytes;
    db.asTenant(tenant, next);
  };
}
