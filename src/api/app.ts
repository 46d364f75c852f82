// The REST API: what a request passes through, in this order, and where it ends up.
import express, { type Express, type Router } from 'express';

import { createAudit } from './auth/audit.ts';
import { createAuditWriter } from './auth/audit-writer.ts';
import { createAuthenticate } from './auth/authenticate.ts';
import { createAuthorize } from './auth/authorize.ts';
import { byFirstPart } from './by-first-part.ts';
import type { ApiDeps } from './deps.ts';
import { inOrder } from './in-order.ts';
import { createErrorHandler } from './middleware/errors.ts';
import { headerCount } from './middleware/header-count.ts';
import { createMeasure } from './middleware/measure.ts';
import { createNotFound } from './middleware/not-found.ts';
import { createPatience } from './middleware/patience.ts';
import { requestContext } from './middleware/request-context.ts';
import { createSecurityHeaders } from './middleware/security-headers.ts';
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

export function createApp(deps: ApiDeps & { isDraining: () => boolean }): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.set('trust proxy', deps.trustProxyHops);
  const answerError = createErrorHandler(deps.log);
  const identify = inOrder(traceRequest, createAuthenticate(deps));
  const admit = inOrder(
    createPatience().attach,
    createAuthorize(app),
    createAudit({ writeAudit: createAuditWriter(deps.db), answerError, log: deps.log }),
    createTenantWall(deps),
  );
  app.use(inOrder(requestContext, createMeasure(deps.metrics), createSecurityHeaders(), headerCount));
  app.use('/v1/codec', codecCors(deps.codecOrigin));
  app.use('/v1', inOrder(identify, admit), byFirstPart(routersOf(deps)), createNotFound(app));
  app.use(probeRoutes(deps), docsRoutes());
  app.use(identify, createNotFound(app));
  app.use(answerError);
  return app;
}

function routersOf(deps: ApiDeps): Router[] {
  return [
    ...[jobRoutes(deps), batchRoutes(deps), deadLetterRoutes(deps), scheduleRoutes(deps), workflowRoutes(deps)],
    ...[runRoutes(deps), workerRoutes(deps), eventRoutes(deps), settingsRoutes(deps), accessRoutes()],
    ...[apiKeyRoutes(deps), auditRoutes(deps), quotaRoutes(deps), secretRoutes(deps), codecRoutes(deps)],
  ];
}
