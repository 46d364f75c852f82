// /v1/workers and /v1/queues: who does the work, what waits for it, and taking either out of service.
//
// They belong to no tenant: the same workers serve all of them.
import { type Request, Router } from 'express';

import { LIVE_WORKER_STATES, WORKER_STATES } from '../../contract/worker.ts';
import { listPage } from '../../db/list.ts';
import { findQueue, QUEUE_LIST, type QueueRow, setQueuePaused } from '../../db/queues.ts';
import { findWorker, orderWorker, WORKER_LIST, type WorkerRow } from '../../db/workers.ts';
import { createQueueStats } from '../../jobs/fleet/queue-stats.ts';
import { queueView, workerView } from '../../jobs/fleet/view.ts';
import { pathParameter, queryOf, refuseQuery, sendJson } from '../answer.ts';
import type { ApiDeps } from '../deps.ts';
import { emptyBody } from '../middleware/body.ts';
import { ApiError } from '../problem.ts';
import { type FilterRules, type ListQuery, parseListQuery } from '../schemas/list-query.ts';

const WORKER_QUERY = { state: { values: WORKER_STATES } } satisfies FilterRules;

export function workerRoutes(deps: Pick<ApiDeps, 'db' | 'client' | 'taskQueue'>): Router {
  const { db } = deps;
  const statsOf = createQueueStats(deps);
  const router = Router();

  router.get('/workers', async (request, response) => {
    const query = listQueryOf(request, WORKER_QUERY);
    // Those that ended are of interest to whoever asks for them.
    const filters = { state: [...LIVE_WORKER_STATES], ...query.filters };
    const page = await listPage<WorkerRow>(db, WORKER_LIST, null, { ...query, filters });
    sendJson(response, 200, { ...page, items: page.items.map(workerView) });
  });

  router.get('/workers/:id', refuseQuery, async (request, response) => {
    const worker = await findWorker(db, pathParameter(request, 'id'));
    if (!worker) throw new ApiError('notFound');
    sendJson(response, 200, workerView(worker));
  });

  for (const order of ['pause', 'resume', 'drain'] as const) {
    router.post(`/workers/:id/${order}`, refuseQuery, emptyBody(), async (request, response) => {
      const worker = await findWorker(db, pathParameter(request, 'id'));
      if (!worker) throw new ApiError('notFound');
      const told = await orderWorker(db, worker.id, order);
      if (!told) throw new ApiError('workerEnded', { detail: `The worker is ${worker.state}.` });
      sendJson(response, 202, workerView(told));
    });
  }

  router.get('/queues', async (request, response) => {
    const page = await listPage<QueueRow & { id: string }>(db, QUEUE_LIST, null, listQueryOf(request, {}));
    const items = page.items.map(async (queue) => queueView(queue, await statsOf(queue.name)));
    sendJson(response, 200, { ...page, items: await Promise.all(items) });
  });

  router.get('/queues/:name', refuseQuery, async (request, response) => {
    const queue = await findQueue(db, queueName(request));
    if (!queue) throw new ApiError('notFound');
    sendJson(response, 200, queueView(queue, await statsOf(queue.name)));
  });

  for (const order of ['pause', 'resume'] as const) {
    router.post(`/queues/:name/${order}`, refuseQuery, emptyBody(), async (request, response) => {
      const queue = await setQueuePaused(db, queueName(request), order === 'pause');
      if (!queue) throw new ApiError('notFound');
      sendJson(response, 202, queueView(queue, await statsOf(queue.name)));
    });
  }

  return router;
}

function listQueryOf(request: Request, filters: FilterRules): ListQuery {
  const query = parseListQuery(queryOf(request), { filters });
  if (!query.ok) throw new ApiError('validationFailed', { errors: query.faults });
  return query;
}

/** Operators name their task queues; a slash or a space is no reason not to find one. */
function queueName({ params: { name } }: Request): string {
  if (typeof name !== 'string' || name.length > 1_000 || /\u0000/.test(name)) throw new ApiError('notFound');
  return name;
}
