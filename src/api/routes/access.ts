// /v1/whoami: who the service thinks is asking.
import { Router } from 'express';

import { refuseQuery, sendJson } from '../answer.ts';

export function accessRoutes(): Router {
  const router = Router();
  router.get('/whoami', refuseQuery, (_request, response) => {
    const { tenant } = response.locals;
    sendJson(response, 200, {
      subject: 'anonymous',
      tenant,
      scopes: ['read', 'submit', 'operate', 'admin'],
      auth: 'none',
    });
  });
  return router;
}
