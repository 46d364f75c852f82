// /v1/runs: start one inline, read, list, signal, cancel, pause, resume, drive again.
import { Router } from 'express';

import type { AttemptRow } from '../../db/attempts.ts';
import { listPage } from '../../db/list.ts';
import { itemsOf, stepsOfRuns } from '../../db/run-steps.ts';
import { RUN_COLUMNS, RUN_FILTERS, type RunRow } from '../../db/runs.ts';
import { listRunAttempts } from '../../db/step-calls.ts';
import { parseDefinition, signalFaults } from '../../jobs/runs/definition.ts';
import { itemView, runViews, valueItems } from '../../jobs/runs/view.ts';
import { referencesOfDefinition, unknownSecrets } from '../../jobs/secrets/references.ts';
import { attemptView } from '../../jobs/view.ts';
import { pathParameter, queryOf, refuseQuery, sendJson, waitParameterMs } from '../answer.ts';
import type { ApiDeps } from '../deps.ts';
import { emptyBody, jsonBody } from '../middleware/body.ts';
import { ApiError } from '../problem.ts';
import { createRedriveRunRoute } from '../redrive-run.ts';
import { createRunAnswers } from '../run-answers.ts';
import { parseListQuery } from '../schemas/list-query.ts';
import { inlineSchema, RUN_QUERY } from '../schemas/run.ts';
import { createStartRun } from '../start-run.ts';

const LIST = { table: 'runs', columns: RUN_COLUMNS, conditions: RUN_FILTERS };
const MAX_PAYLOAD_BYTES = 64 * 1024;

export function runRoutes(deps: ApiDeps): Router {
  const { db, getPolicy, runControls, sealer, view } = deps;
  const { find, waitFor, send } = createRunAnswers(deps);
  const startRun = createStartRun(deps);
  const sendRedriven = createRedriveRunRoute(deps);
  const router = Router();

  router.post('/runs', refuseQuery, jsonBody(), async (request, response) => {
    await startRun(request, response, inlineSchema, async ({ definition }) => {
      const parsed = parseDefinition(definition, getPolicy(), '/definition');
      if (!parsed.ok) throw new ApiError(parsed.code, { errors: parsed.faults });
      const { tenant } = response.locals;
      const errors = await unknownSecrets(db, tenant, referencesOfDefinition(parsed.definition, '/definition'));
      if (errors.length > 0) throw new ApiError('validationFailed', { errors });
      const sealed = sealer.definition(tenant, parsed.definition);
      return { workflow: null, version: null, definition: sealed, plan: parsed.plan };
    });
  });

  router.get('/runs', async (request, response) => {
    const query = parseListQuery(queryOf(request), { filters: RUN_QUERY });
    if (!query.ok) throw new ApiError('validationFailed', { errors: query.faults });
    const page = await listPage<RunRow>(db, LIST, response.locals.tenant, query);
    sendJson(response, 200, { ...page, items: await runViews(db, page.items, view) });
  });

  router.get('/runs/:id', async (request, response) => {
    const waitMs = waitParameterMs(request);
    await send(response, 200, await waitFor(response.locals.tenant, pathParameter(request, 'id'), waitMs));
  });

  router.get('/runs/:id/steps/:step/items', async (request, response) => {
    const { id, definition } = await find(response.locals.tenant, pathParameter(request, 'id'));
    const stepId = stepOf(pathParameter(request, 'step'), definition);
    const { limit, cursor } = pageOf(queryOf(request), /^\d{1,9}$/);
    const page = { runId: id, stepId, after: Number(cursor ?? -1), limit: limit + 1 };
    const isValue = definition.steps.some((step) => step.id === stepId && step.transform !== undefined);
    const rows = isValue ? await valuesOf(page) : await itemsOf(db, page);
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    const nextCursor = rows.length > limit && last ? encoded(String(last.index)) : null;
    sendJson(response, 200, { items: items.map((item) => itemView(item, view.redaction)), nextCursor });
  });

  router.get(['/runs/:id/attempts', '/runs/:id/steps/:step/attempts'], async (request, response) => {
    const { tenant } = response.locals;
    const { id, definition } = await find(tenant, pathParameter(request, 'id'));
    const stepId = request.params['step'] === undefined ? null : stepOf(pathParameter(request, 'step'), definition);
    const { limit, cursor } = pageOf(queryOf(request), /^[A-Za-z0-9_]{1,200}$/);
    const page = { tenant, runId: id, stepId, after: cursor ?? '', limit: limit + 1 };
    const rows = await listRunAttempts<AttemptRow>(db, page);
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    const shown = items.map(({ stepId: step, itemIndex, compensation, ...attempt }) => ({
      ...{ stepId: step, itemIndex, compensation },
      ...attemptView(attempt),
    }));
    sendJson(response, 200, { items: shown, nextCursor: rows.length > limit && last ? encoded(last.id) : null });
  });

  router.post('/runs/:id/signals/:signal', refuseQuery, jsonBody({ emptyAs: null }), async (request, response) => {
    const { tenant } = response.locals;
    const { id, definition } = await find(tenant, pathParameter(request, 'id'));
    const signal = pathParameter(request, 'signal');
    const payload: unknown = request.body;
    if (!definition.steps.some(({ waitFor: wait }) => wait?.signal === signal)) {
      throw new ApiError('notFound', { detail: `No step of this run waits for a signal ${signal}.` });
    }
    if (Buffer.byteLength(JSON.stringify(payload)) > MAX_PAYLOAD_BYTES) throw new ApiError('tooLarge');
    const errors = signalFaults(definition, signal, payload);
    if (errors.length > 0) throw new ApiError('validationFailed', { errors });
    if (!(await runControls.signal(tenant, id, signal, payload))) throw new ApiError('alreadyFinal');
    sendJson(response, 202, { accepted: true });
  });

  router.post('/runs/:id/cancel', refuseQuery, emptyBody(), async (request, response) => {
    const { tenant } = response.locals;
    const { id } = await find(tenant, pathParameter(request, 'id'));
    if (!(await runControls.cancel(tenant, id))) throw new ApiError('alreadyFinal');
    await send(response, 200, await find(tenant, id));
  });

  router.post('/runs/:id/redrive', refuseQuery, jsonBody({ emptyAs: {} }), async (request, response) => {
    await sendRedriven(request, response, pathParameter(request, 'id'));
  });

  for (const [action, paused] of Object.entries({ pause: true, resume: false })) {
    router.post(`/runs/:id/${action}`, refuseQuery, emptyBody(), async (request, response) => {
      const { tenant } = response.locals;
      const { id } = await find(tenant, pathParameter(request, 'id'));
      if (!(await runControls.setPaused(tenant, id, paused))) throw new ApiError('alreadyFinal');
      await send(response, 200, await find(tenant, id));
    });
  }

  return router;

  async function valuesOf({
    runId,
    stepId,
    after,
    limit,
  }: {
    runId: string;
    stepId: string;
    after: number;
    limit: number;
  }) {
    const step = (await stepsOfRuns(db, [runId])).find(({ id }) => id === stepId);
    const failed = await itemsOf(db, { runId, stepId, after: -1, limit: step?.itemsTotal ?? 0 });
    return valueItems(step, failed)
      .filter(({ index }) => index > after)
      .slice(0, limit);
  }
}

function stepOf(id: string, { steps }: RunRow['definition']): string {
  if (steps.some((step) => step.id === id)) return id;
  throw new ApiError('notFound');
}

/** These lists are in the order in which things came about; their cursor is where the page ended. */
function pageOf(query: URLSearchParams, position: RegExp): { limit: number; cursor: string | null } {
  const parsed = parseListQuery(query, { filters: {}, byCreation: false });
  if (!parsed.ok) throw new ApiError('validationFailed', { errors: parsed.faults });
  const cursor = parsed.cursor === null ? null : Buffer.from(parsed.cursor, 'base64url').toString();
  if (cursor === null || position.test(cursor)) return { limit: parsed.limit, cursor };
  const errors = [{ pointer: '/query/cursor', detail: 'Not a cursor of this list.' }];
  throw new ApiError('validationFailed', { errors });
}

function encoded(position: string): string {
  return Buffer.from(position).toString('base64url');
}
