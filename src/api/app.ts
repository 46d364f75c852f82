// The REST API: what a request passes through, in this order, and where it ends up.
import express, { type Express } from 'express';
import helmet from 'helmet';

import { createAudit } from './auth/audit.ts';
import { createAuditWriter } from './auth/audit-writer.ts';
import { createAuthenticate } from './auth/authenticate.ts';
import { createAuthorize } from './auth/authorize.ts';
import type { ApiDeps } from './deps.ts';
import { createErrorHandler } from './middleware/errors.ts';
import { headerCount } from './middleware/header-count.ts';
import { createMeasure } from './middleware/measure.ts';
import { createNotFound } from './middleware/not-found.ts';
import { createPatience } from './middleware/patience.ts';
import { requestContext } from './middleware/request-context.ts';
import { createTenantWall } from './middleware/tenant.ts';
import { traceRequest } from './middleware/trace.ts';
import { accessRoutes } from './routes/access.ts';
import { apiKeyRoutes } from './routes/api-keys.ts';
import { auditRoutes } from './routes/audit.ts';
import { batchRoutes } from './routes/batches.ts';
import { codecCors, codecRoutes } from './routes/codec.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { docsRoutes } from './routes/docs.ts';
import { eventRoutes } from './routes/events.ts';
import { jobRoutes } from './routes/jobs.ts';
import { probeRoutes } from './routes/probes.ts';
import { quotaRoutes } from './routes/quotas.ts';
import { runRoutes } from './routes/runs.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { secretRoutes } from './routes/secrets.ts';
import { settingsRoutes } from './routes/settings.ts';
import { workerRoutes } from './routes/workers.ts';
import { workflowRoutes } from './routes/workflows.ts';

/** We speak plain HTTP; whether browsers must use TLS is for the proxy that adds it to say. */
const OVER_PLAIN_HTTP = {
  strictTransportSecurity: false,
  // Answers are data: opened in a browser they load and run nothing. Pages (/docs) set a policy of their own.
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] },
  },
};

export function createApp(deps: ApiDeps & { isDraining: () => boolean }): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.set('trust proxy', deps.trustProxyHops);
  app.use(requestContext, createMeasure(deps.metrics), helmet(OVER_PLAIN_HTTP), headerCount);
  app.use(probeRoutes(deps), docsRoutes());
  const answerError = createErrorHandler(deps.log);
  const writeAudit = createAuditWriter(deps.db);
  app.use('/v1/codec', codecCors(deps.codecOrigin));
  app.use(traceRequest, createAuthenticate(deps));
  app.use(
    '/v1',
    createPatience().attach,
    createAuthorize(app),
    createAudit({ writeAudit, answerError, log: deps.log }),
  );
  app.use('/v1', createTenantWall(deps));
  app.use('/v1', apiKeyRoutes(deps), auditRoutes(deps), quotaRoutes(deps), secretRoutes(deps), codecRoutes(deps));
  app.use('/v1', accessRoutes(), jobRoutes(deps), batchRoutes(deps), deadLetterRoutes(deps), scheduleRoutes(deps));
  app.use('/v1', workflowRoutes(deps), runRoutes(deps), workerRoutes(deps));
  app.use('/v1', eventRoutes(deps), settingsRoutes(deps));
  app.use(createNotFound(app));
  app.use(answerError);
  return app;
}
