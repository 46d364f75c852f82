// /v1/dead-letters and /v1/bulk-operations: what failed for good, and how it gets another chance.
import { Router } from 'express';

import { abortBulk, type BulkRow, findBulk } from '../../db/bulk-operations.ts';
import {
  DEAD_LETTER_COLUMNS,
  DEAD_LETTER_FILTERS,
  type DeadLetterRow,
  deleteDeadLetter,
  findDeadLetter,
} from '../../db/dead-letters.ts';
import { listPage } from '../../db/list.ts';
import { createBulk, startBulk } from '../../jobs/bulk-redrive.ts';
import { deadLetterView } from '../../jobs/view.ts';
import {
  idempotencyKeyOf,
  pathParameter,
  preferredWaitMs,
  queryOf,
  refuseQuery,
  sendJson,
  sendText,
  waitParameterMs,
} from '../answer.ts';
import type { ApiDeps } from '../deps.ts';
import { createJobAnswers, unknownParents } from '../job-answers.ts';
import { emptyBody, jsonBody } from '../middleware/body.ts';
import { ApiError } from '../problem.ts';
import { reserveWaiting } from '../quota.ts';
import { createRedriveRunRoute } from '../redrive-run.ts';
import { parseListQuery } from '../schemas/list-query.ts';
import { DEAD_LETTER_QUERY, parseBulkRedrive, parseRedrive } from '../schemas/redrive.ts';

const LIST = { table: 'dead_letters', columns: DEAD_LETTER_COLUMNS, conditions: DEAD_LETTER_FILTERS };

export function deadLetterRoutes(deps: ApiDeps): Router {
  const { db, client, taskQueue, redrive, sealer, waitUntilFinal, log } = deps;
  const { sendMade } = createJobAnswers(deps);
  const sendRedrivenRun = createRedriveRunRoute(deps);
  const router = Router();

  router.get('/dead-letters', async (request, response) => {
    const parsed = parseListQuery(queryOf(request), { filters: DEAD_LETTER_QUERY });
    if (!parsed.ok) throw new ApiError('validationFailed', { errors: parsed.faults });
    const page = await listPage<DeadLetterRow>(db, LIST, response.locals.tenant, parsed);
    sendJson(response, 200, { ...page, items: page.items.map(deadLetterView) });
  });

  router.get('/dead-letters/:id', refuseQuery, async (request, response) => {
    const letter = await findDeadLetter(db, response.locals.tenant, pathParameter(request, 'id'));
    if (!letter) throw new ApiError('notFound');
    sendJson(response, 200, deadLetterView(letter));
  });

  router.delete('/dead-letters/:id', refuseQuery, async (request, response) => {
    const deleted = await deleteDeadLetter(db, response.locals.tenant, pathParameter(request, 'id'));
    if (!deleted) throw new ApiError('notFound');
    response.status(204).end();
  });

  router.post('/dead-letters/redrive', refuseQuery, jsonBody(), async (request, response) => {
    const key = idempotencyKeyOf(request, request.body);
    const waitMs = preferredWaitMs(request, response);
    const parsed = parseBulkRedrive(request.body);
    if (!parsed.ok) throw new ApiError('validationFailed', { errors: parsed.faults });
    const { tenant } = response.locals;
    const render = (bulk: BulkRow) => JSON.stringify(bulkView(bulk));
    const bulk = { ...parsed.value, patch: sealer.patch(tenant, parsed.value.patch) };
    const made = await createBulk(db, tenant, bulk, key, render);
    if (made.kind === 'keyReused') throw new ApiError('idempotencyKeyReused');
    response.location(`/v1/bulk-operations/${made.id}`);
    const isReplayed = made.kind === 'replayed';
    const status = isReplayed ? 200 : 202;
    if (isReplayed) response.set('Idempotency-Replayed', 'true');
    else {
      // The relay starts it where this does not.
      void startBulk(client, taskQueue, { id: made.id, tenant }).catch((error: unknown) => {
        log.warn({ bulk: made.id, err: error }, 'bulk operation not started; the relay will');
      });
    }
    if (waitMs === null) return sendText(response, status, made.answer);
    sendJson(response, status, bulkView(await ended(tenant, made.id, waitMs)));
  });

  router.post('/dead-letters/:id/redrive', refuseQuery, jsonBody({ emptyAs: {} }), async (request, response) => {
    const { tenant } = response.locals;
    const id = pathParameter(request, 'id');
    const runId = (await findDeadLetter(db, tenant, id))?.runId;
    if (runId) return sendRedrivenRun(request, response, runId);
    const key = idempotencyKeyOf(request, request.body);
    const waitMs = preferredWaitMs(request, response);
    const parsed = parseRedrive(request.body);
    if (!parsed.ok) throw new ApiError('validationFailed', { errors: parsed.faults });
    await reserveWaiting(deps, response, 1, key);
    const redriven = await redrive(tenant, id, parsed.value, key);
    switch (redriven.kind) {
      case 'created':
      case 'replayed':
        return sendMade(response, redriven, waitMs);
      case 'invalid':
        throw new ApiError(redriven.code, { errors: redriven.faults });
      case 'unknownParents':
        throw unknownParents(redriven.dependsOn, redriven.ids, '/patch');
      case 'keyReused':
        throw new ApiError('idempotencyKeyReused');
      case 'alreadyRedriven':
        throw new ApiError('alreadyRedriven');
      case 'jobGone':
        throw new ApiError('notFound', { detail: 'The job of this dead letter has been removed.' });
      case 'notFound':
        throw new ApiError('notFound');
    }
  });

  router.get('/bulk-operations/:id', async (request, response) => {
    const waitMs = waitParameterMs(request);
    const id = pathParameter(request, 'id');
    sendJson(response, 200, bulkView(await ended(response.locals.tenant, id, waitMs)));
  });

  router.post('/bulk-operations/:id/abort', refuseQuery, emptyBody(), async (request, response) => {
    const { tenant } = response.locals;
    const id = pathParameter(request, 'id');
    const aborted = await abortBulk(db, tenant, id);
    if (aborted) return sendJson(response, 200, bulkView(aborted));
    throw new ApiError((await findBulk(db, tenant, id)) ? 'alreadyFinal' : 'notFound');
  });

  /** Or as it is after so long. */
  async function ended(tenant: string, id: string, waitMs: number): Promise<BulkRow> {
    const bulk = await bulkOf(tenant, id);
    if (bulk.finishedAt !== null || waitMs === 0) return bulk;
    await waitUntilFinal(id, waitMs);
    return bulkOf(tenant, id);
  }

  async function bulkOf(tenant: string, id: string): Promise<BulkRow> {
    const bulk = await findBulk(db, tenant, id);
    if (!bulk) throw new ApiError('notFound');
    return bulk;
  }

  return router;
}

function bulkView({ id, status, total, done, skipped, failed, createdAt, finishedAt }: BulkRow) {
  return { id, status, counts: { total, done, skipped, failed }, createdAt, finishedAt };
}
