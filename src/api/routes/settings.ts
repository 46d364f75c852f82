// /v1/settings: what operators change at run time, in every process within seconds.
import { Router } from 'express';

import { settingsPatch } from '../../jobs/settings/values.ts';
import { parseBySchema } from '../../jobs/spec/faults.ts';
import { refuseQuery, sendJson } from '../answer.ts';
import type { ApiDeps } from '../deps.ts';
import { jsonBody } from '../middleware/body.ts';
import { byOperators } from '../middleware/operators.ts';
import { ApiError } from '../problem.ts';

export function settingsRoutes({ settings }: Pick<ApiDeps, 'settings'>): Router {
  const router = Router();

  router.get('/settings', byOperators, refuseQuery, async (_request, response) => {
    sendJson(response, 200, await settings.view());
  });

  router.patch('/settings', byOperators, refuseQuery, jsonBody(), async (request, response) => {
    const parsed = parseBySchema(settingsPatch, request.body);
    if (!parsed.ok) throw new ApiError('validationFailed', { errors: parsed.faults });
    response.locals.auditDetail = { patch: parsed.value };
    sendJson(response, 200, await settings.change(parsed.value));
  });

  return router;
}
