// What a worker without an API answers: whether it is up, whether it is ready, what it counts.
import express from 'express';

import type { Logger } from '../telemetry/log.ts';
import { createErrorHandler } from './middleware/errors.ts';
import { createNotFound } from './middleware/not-found.ts';
import { requestContext } from './middleware/request-context.ts';
import { type ProbeDeps, probeRoutes } from './routes/probes.ts';
import { listen } from './server.ts';

const GRACE_MS = 1_000;

export interface RunningProbes {
  port: number;
  /** From now on it is not ready, and still up. */
  drain(): void;
  close(): Promise<void>;
}

export async function serveProbes(
  deps: Omit<ProbeDeps, 'isDraining'> & { log: Logger },
  { host, port }: { host: string; port: number },
): Promise<RunningProbes> {
  let draining = false;
  const app = express();
  app.disable('x-powered-by');
  app.use(requestContext, probeRoutes({ ...deps, isDraining: () => draining }));
  app.use(createNotFound(app));
  app.use(createErrorHandler(deps.log));
  const server = await listen(app, { host, port, variable: 'PERDURE_WORKER_PORT' });
  return { port: server.port, drain: () => void (draining = true), close: () => server.stop(GRACE_MS) };
}
