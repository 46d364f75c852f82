// The REST API: what a request passes through, in this order, and where it ends up.
import express, { type Express } from 'express';
import helmet from 'helmet';

import type { ApiDeps } from './deps.ts';
import { createErrorHandler, notFound } from './middleware/errors.ts';
import { createMeasure } from './middleware/measure.ts';
import { requestContext } from './middleware/request-context.ts';
import { accessRoutes } from './routes/access.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { jobRoutes } from './routes/jobs.ts';
import { probeRoutes } from './routes/probes.ts';

export function createApp(deps: ApiDeps & { isDraining: () => boolean }): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.use(requestContext, createMeasure(deps.metrics), helmet());
  app.use(probeRoutes(deps));
  app.use('/v1', accessRoutes(), jobRoutes(deps), deadLetterRoutes(deps));
  app.use(notFound);
  app.use(createErrorHandler(deps.log));
  return app;
}
