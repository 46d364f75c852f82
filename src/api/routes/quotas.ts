// /v1/quotas: what one tenant may use where that differs from the defaults; for the admins of the tenant `default`.
import { type Request, type RequestHandler, Router } from 'express';

import { DEFAULT_TENANT, TENANT_PATTERN } from '../../contract/access.ts';
import { findOverride, putOverride, type QuotaOverride } from '../../db/quotas.ts';
import { parseBySchema } from '../../jobs/spec/faults.ts';
import { refuseQuery, sendJson } from '../answer.ts';
import type { ApiDeps } from '../deps.ts';
import { jsonBody } from '../middleware/body.ts';
import { ApiError } from '../problem.ts';
import { quotaSchema } from '../schemas/quota.ts';

const NO_OVERRIDE: QuotaOverride = { requestsPerSecond: null, waitingJobs: null, schedules: null, bodyBytes: null };

/** They run the instance; nobody else decides how much of it a tenant gets. */
const byOperators: RequestHandler = (_request, response, next) => {
  if (response.locals.tenant === DEFAULT_TENANT) return next();
  throw new ApiError('forbidden', { detail: `Only the tenant "${DEFAULT_TENANT}" has a say in quotas.` });
};

export function quotaRoutes({ db, quotas }: Pick<ApiDeps, 'db' | 'quotas'>): Router {
  const router = Router();

  router.get('/quotas/:tenant', byOperators, refuseQuery, async (request, response) => {
    const tenant = tenantOf(request);
    const override = await db.asService(() => findOverride(db, tenant));
    sendJson(response, 200, quotaView(tenant, override ?? NO_OVERRIDE));
  });

  router.put('/quotas/:tenant', byOperators, refuseQuery, jsonBody(), async (request, response) => {
    const tenant = tenantOf(request);
    const parsed = parseBySchema(quotaSchema, request.body);
    if (!parsed.ok) throw new ApiError('validationFailed', { errors: parsed.faults });
    await db.asService(() => putOverride(db, tenant, parsed.value));
    quotas.forgetOverrides();
    sendJson(response, 200, quotaView(tenant, parsed.value));
  });

  return router;
}

export function quotaView(tenant: string, limits: QuotaOverride) {
  const { requestsPerSecond, waitingJobs, schedules, bodyBytes } = limits;
  return { tenant, requestsPerSecond, waitingJobs, schedules, bodyBytes };
}

function tenantOf({ params: { tenant } }: Request): string {
  if (typeof tenant === 'string' && TENANT_PATTERN.test(tenant)) return tenant;
  throw new ApiError('notFound');
}
