// The REST API: what a request passes through, in this order, and where it ends up.
import express, { type Express } from 'express';
import helmet from 'helmet';

import type { ApiDeps } from './deps.ts';
import { createErrorHandler } from './middleware/errors.ts';
import { createMeasure } from './middleware/measure.ts';
import { createNotFound } from './middleware/not-found.ts';
import { requestContext } from './middleware/request-context.ts';
import { accessRoutes } from './routes/access.ts';
import { batchRoutes } from './routes/batches.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { docsRoutes } from './routes/docs.ts';
import { jobRoutes } from './routes/jobs.ts';
import { probeRoutes } from './routes/probes.ts';
import { runRoutes } from './routes/runs.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { workflowRoutes } from './routes/workflows.ts';

/** We speak plain HTTP; whether browsers must use TLS is for the proxy that adds it to say. */
const OVER_PLAIN_HTTP = {
  strictTransportSecurity: false,
  contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
};

export function createApp(deps: ApiDeps & { isDraining: () => boolean }): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.use(requestContext, createMeasure(deps.metrics), helmet(OVER_PLAIN_HTTP));
  app.use(probeRoutes(deps), docsRoutes());
  app.use('/v1', accessRoutes(), jobRoutes(deps), batchRoutes(deps), deadLetterRoutes(deps), scheduleRoutes(deps));
  app.use('/v1', workflowRoutes(deps), runRoutes(deps));
  app.use(createNotFound(app));
  app.use(createErrorHandler(deps.log));
  return app;
}
