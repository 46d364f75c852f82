// /v1/batches: many jobs accepted together, read and canceled as one.
import { type Request, type Response, Router } from 'express';

import { currentTime } from '../../clock.ts';
import type { FieldFault } from '../../contract/problem.ts';
import { BATCH_COLUMNS, BATCH_FILTERS, type BatchRow, findBatch } from '../../db/batches.ts';
import { listPage } from '../../db/list.ts';
import type { UnknownParent } from '../../jobs/batches/accept.ts';
import type { BatchSubmission } from '../../jobs/batches/new-batch.ts';
import { batchView } from '../../jobs/batches/view.ts';
import { replayOf } from '../../jobs/once.ts';
import { referencesOfJob, unknownSecrets } from '../../jobs/secrets/references.ts';
import { oncePerModel } from '../../jobs/spec/alike.ts';
import { onePerPointer } from '../../jobs/spec/faults.ts';
import { locateFault } from '../../jobs/spec/merge.ts';
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
import { BATCH_BODY_LIMIT_BYTES, emptyBody, jsonBody } from '../middleware/body.ts';
import { NDJSON, ndjsonBody } from '../middleware/ndjson-body.ts';
import { ApiError } from '../problem.ts';
import { reserveWaiting } from '../quota.ts';
import { MAX_FAULTS, MAX_ITEMS, parseBatch } from '../schemas/batch.ts';
import { parseListQuery } from '../schemas/list-query.ts';

const LIST = { table: 'batches', columns: BATCH_COLUMNS, conditions: BATCH_FILTERS };
const QUERY = { status: { values: ['running', 'finished', 'canceled'] }, name: {}, label: {} };
const readJson = jsonBody({ limitBytes: BATCH_BODY_LIMIT_BYTES, keysPerItemOf: 'items' });
const readLines = ndjsonBody({ limitBytes: BATCH_BODY_LIMIT_BYTES, maxLines: MAX_ITEMS, basePointer: '/items' });

export function batchRoutes({
  db,
  quotas,
  acceptBatch,
  cancelBatch,
  waitUntilFinal,
  getPolicy,
  view,
}: ApiDeps): Router {
  const router = Router();

  router.post('/batches', readLines, readBatch, async (request, response) => {
    const { tenant } = response.locals;
    const key = idempotencyKeyOf(request, request.body);
    const waitMs = preferredWaitMs(request, response);
    const parsed = await parseBatch(request.body, { policy: getPolicy(), now: currentTime() });
    if (parsed.ok) await reserveWaiting({ db, quotas }, response, parsed.batch.items.length, key);
    // What was valid when it was first sent is still answered as it was then.
    const faults = parsed.ok ? await unknownInItems(tenant, parsed.batch, request.body) : parsed.faults;
    const accepted =
      parsed.ok && faults.length === 0
        ? await acceptBatch(parsed.batch, { tenant, traceParent: response.locals.traceParent }, key)
        : await replayOf(db, tenant, key);
    if (!accepted) throw new ApiError(parsed.ok ? 'validationFailed' : parsed.code, { errors: faults });
    if (accepted.kind === 'keyReused') throw new ApiError('idempotencyKeyReused');
    if (accepted.kind === 'unknownParents') throw unknownParents(accepted.parents);
    await sendMade(response, accepted, waitMs);
  });

  router.get('/batches', async (request, response) => {
    const parsed = parseListQuery(queryOf(request), { filters: QUERY });
    if (!parsed.ok) throw new ApiError('validationFailed', { errors: parsed.faults });
    const page = await listPage<BatchRow>(db, LIST, response.locals.tenant, parsed);
    sendJson(response, 200, { ...page, items: page.items.map((batch) => batchView(batch, view)) });
  });

  router.get('/batches/:id', async (request, response) => {
    const waitMs = waitParameterMs(request);
    const batch = await waitFor(response.locals.tenant, pathParameter(request, 'id'), waitMs);
    sendJson(response, 200, batchView(batch, view));
  });

  router.post('/batches/:id/cancel', refuseQuery, emptyBody(), async (request, response) => {
    const { tenant } = response.locals;
    const { id } = await find(tenant, pathParameter(request, 'id'));
    if (!(await cancelBatch(tenant, id))) throw new ApiError('alreadyFinal');
    sendJson(response, 200, batchView(await find(tenant, id), view));
  });

  async function find(tenant: string, id: string): Promise<BatchRow> {
    const batch = await findBatch(db, tenant, id);
    if (!batch) throw new ApiError('notFound');
    return batch;
  }

  async function waitFor(tenant: string, id: string, waitMs: number): Promise<BatchRow> {
    const batch = await find(tenant, id);
    if (batch.finishedAt !== null || waitMs === 0) return batch;
    await waitUntilFinal(id, waitMs);
    return find(tenant, id);
  }

  /** Each fault where its cause was sent: in the item, or in the defaults. */
  async function unknownInItems(tenant: string, batch: BatchSubmission, body: unknown): Promise<FieldFault[]> {
    const { items, defaults } = body as { items: unknown[]; defaults?: unknown };
    const referencesOf = oncePerModel((model) => referencesOfJob(model));
    const named = batch.items.flatMap(({ model }, index) =>
      referencesOf(model).map(({ name, pointer }) => {
        const sent = { item: items[index], itemPointer: `/items/${index}`, defaults, defaultsPointer: '/defaults' };
        return { name, pointer: locateFault({ pointer, detail: '' }, sent).pointer };
      }),
    );
    return onePerPointer(await unknownSecrets(db, tenant, named)).slice(0, MAX_FAULTS);
  }

  async function sendMade(
    response: Response,
    { kind, id, answer }: { kind: 'created' | 'replayed'; id: string; answer: string },
    waitMs: number | null,
  ): Promise<void> {
    const status = kind === 'created' ? 201 : 200;
    if (kind === 'replayed') response.set('Idempotency-Replayed', 'true');
    response.location(`/v1/batches/${id}`);
    if (waitMs === null) return sendText(response, status, answer);
    sendJson(response, status, batchView(await waitFor(response.locals.tenant, id, waitMs), view));
  }

  return router;
}

/** As JSON it is one object; as lines these are its items, and its fields are in the query. */
function readBatch(request: Request, response: Response, next: (error?: unknown) => void): void {
  if (request.is(NDJSON)) {
    request.body = { ...fieldsOf(queryOf(request)), items: request.body as unknown };
    return next();
  }
  refuseQuery(request, response, (error?: unknown) => (error ? next(error) : readJson(request, response, next)));
}

function fieldsOf(query: URLSearchParams): { name?: string; concurrency?: number } {
  const names = [...new Set(query.keys())];
  const concurrency = query.get('concurrency');
  const errors = names.flatMap((name) => {
    if (name !== 'name' && name !== 'concurrency') return [{ pointer: `/query/${name}`, detail: 'Unknown parameter.' }];
    return query.getAll(name).length > 1 ? [{ pointer: `/query/${name}`, detail: 'May be given once.' }] : [];
  });
  if (concurrency !== null && !/^\d{1,9}$/.test(concurrency)) {
    errors.push({ pointer: '/query/concurrency', detail: 'Must be a whole number from 1 to 1000.' });
  }
  if (errors.length > 0) throw new ApiError('validationFailed', { errors });
  const name = query.get('name');
  return { ...(name === null ? {} : { name }), ...(concurrency === null ? {} : { concurrency: Number(concurrency) }) };
}

function unknownParents(parents: UnknownParent[]): ApiError {
  const errors = parents.slice(0, 100).map(({ item, position, id }) => ({
    pointer: `/items/${item}/dependsOn/${position}`,
    detail: `There is no job ${id}.`,
  }));
  return new ApiError('validationFailed', { errors });
}
