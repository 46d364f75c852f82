// /v1/whoami: who the service thinks is asking.
import { Router } from 'express';

import { refuseQuery, sendJson } from '../answer.ts';

export function accessRoutes(): Router {
  const router = Router();
  router.get('/whoami', refuseQuery, (_request, response) => {
    const { subject, tenant, scopes, auth } = response.locals.principal;
    sendJson(response, 200, { subject, tenant, scopes, auth });
  });
  return router;
}
