// What is open to everyone: is it up, is it ready, what does it count.
import { setTimeout as sleep } from 'node:timers/promises';

import type { Client } from '@temporalio/client';
import { Router } from 'express';

import type { Database } from '../../db/pool.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { version } from '../../version.ts';
import { sendJson } from '../answer.ts';

const PROBE_MS = 1_000;

export interface ProbeDeps {
  db: Database;
  client: Client;
  metrics: Metrics;
  isDraining: () => boolean;
}

export function probeRoutes({ db, client, metrics, isDraining }: ProbeDeps): Router {
  const router = Router();

  router.get('/healthz', (_request, response) => {
    sendJson(response, 200, { status: 'ok', version });
  });

  router.get('/readyz', async (_request, response) => {
    const [postgres, temporal] = await Promise.all([isUp(db.query('select 1')), isUp(pingTemporal(client))]);
    const ready = postgres && !isDraining();
    if (!ready) response.set('Retry-After', '2');
    sendJson(response, ready ? 200 : 503, {
      status: ready ? 'ready' : isDraining() ? 'draining' : 'unavailable',
      postgres: postgres ? 'up' : 'down',
      // Jobs are accepted without it and started when it is back.
      temporal: temporal ? 'up' : 'down',
      version,
    });
  });

  router.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });

  return router;
}

/** Whoever asks gives up soon; the clients behind the probes keep trying for longer than their own deadlines. */
async function isUp(probe: Promise<unknown>): Promise<boolean> {
  const late = new AbortController();
  const answered = probe.then(
    () => true,
    () => false,
  );
  const tooLate = sleep(PROBE_MS, false, { signal: late.signal }).catch(() => false);
  return Promise.race([answered, tooLate]).finally(() => late.abort());
}

function pingTemporal(client: Client): Promise<unknown> {
  return client.withDeadline(Date.now() + PROBE_MS, () => client.workflowService.getSystemInfo({}));
}
