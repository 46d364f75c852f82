// A whole Perdure inside the test process: API, worker and relay on a database and a task queue of their own.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import { inject } from 'vitest';

import { createApp } from '../api/app.ts';
import { listen } from '../api/server.ts';
import { type Config, parseConfig } from '../config.ts';
import { readStoreState } from '../db/store-state.ts';
import { createServices, type Services } from '../services.ts';
import { createLog } from '../telemetry/log.ts';
import { measureState } from '../telemetry/state-metrics.ts';
import { installRuntime, startWorker } from '../workers/worker.ts';
import { createTestDatabase } from './database.ts';

export interface Instance {
  url: string;
  databaseUrl: string;
  services: Services;
  config: Config;
  stop(): Promise<void>;
}

let runtimeInstalled = false;

export async function startInstance(
  environment: Record<string, string> = {},
  { databaseAddress }: { databaseAddress?: string } = {},
): Promise<Instance> {
  const database = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
  const config = parseConfig({
    PORT: '0',
    DATABASE_URL: database.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    PERDURE_TASK_QUEUE: `test-${randomUUID()}`,
    PERDURE_EGRESS: 'any',
    PERDURE_SHUTDOWN_GRACE: '2s',
    LOG_LEVEL: 'error',
    ...environment,
  });
  const log = createLog(config.logLevel);
  if (!runtimeInstalled) installRuntime(log, config);
  runtimeInstalled = true;
  const databaseUrl = new URL(database.databaseUrl);
  // Through a proxy, for instance; the test itself still reaches the server directly.
  if (databaseAddress) databaseUrl.host = databaseAddress;
  const addresses = {
    databaseUrl: databaseUrl.href,
    temporalAddress: config.temporalAddress,
    temporalUiUrl: inject('temporalUiUrl'),
  };
  const services = await createServices(config, addresses, log, { withWorker: true });
  measureState(services.metrics, () => readStoreState(services.db));
  if (!services.native) throw new Error('a worker needs a native connection');
  const bundle = join(inject('repoRoot'), 'dist', 'workflow-bundle.js');
  const worker = await startWorker(config, { ...services, native: services.native }, bundle);
  const server = await listen(createApp({ ...services, isDraining: () => false }), config);
  return {
    url: `http://127.0.0.1:${server.port}`,
    databaseUrl: database.databaseUrl,
    services,
    config,
    async stop() {
      services.releaseWaiters();
      await server.stop(1_000);
      await worker.stop();
      await services.close();
      await database.drop();
    },
  };
}
