// /v1/workflows: definitions in versions, checked, drawn, run.
import { type Request, type Response, Router } from 'express';

import { listPage } from '../../db/list.ts';
import {
  deleteWorkflow,
  findWorkflow,
  LATEST_WORKFLOWS,
  putWorkflow,
  WORKFLOW_COLUMNS,
  type WorkflowRow,
} from '../../db/workflows.ts';
import { fingerprint } from '../../jobs/canonical-json.ts';
import { parseDefinition } from '../../jobs/runs/definition.ts';
import { workflowView } from '../../jobs/runs/view.ts';
import { referencesOfDefinition, unknownSecrets } from '../../jobs/secrets/references.ts';
import { mermaidOf } from '../../language/graph.ts';
import { pathParameter, queryOf, refuseQuery, sendJson } from '../answer.ts';
import type { ApiDeps } from '../deps.ts';
import { jsonBody } from '../middleware/body.ts';
import { ApiError } from '../problem.ts';
import { parseListQuery } from '../schemas/list-query.ts';
import { startSchema } from '../schemas/run.ts';
import { createStartRun } from '../start-run.ts';

const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const LIST = { table: LATEST_WORKFLOWS, columns: WORKFLOW_COLUMNS, conditions: {} };

export function workflowRoutes(deps: ApiDeps): Router {
  const { db, getPolicy, sealer, view } = deps;
  const startRun = createStartRun(deps);
  const router = Router();

  router.post('/workflows/validate', refuseQuery, jsonBody(), async (request, response) => {
    const { plan } = await parsed(response.locals.tenant, request.body);
    sendJson(response, 200, { valid: true, plan });
  });

  router.put('/workflows/:name', refuseQuery, jsonBody(), async (request, response) => {
    const name = nameToStore(request);
    const { tenant } = response.locals;
    const { definition, plan } = await parsed(tenant, request.body);
    const print = fingerprint({ method: 'PUT', path: name, content: definition });
    const content = { tenant, name, definition: sealer.definition(tenant, definition), plan, fingerprint: print };
    const { created, row } = await putWorkflow(db, content);
    if (created) response.location(`/v1/workflows/${name}`);
    sendJson(response, created ? 201 : 200, shown(row));
  });

  router.get('/workflows', async (request, response) => {
    const query = parseListQuery(queryOf(request), { filters: {} });
    if (!query.ok) throw new ApiError('validationFailed', { errors: query.faults });
    const page = await listPage<WorkflowRow>(db, LIST, response.locals.tenant, query);
    sendJson(response, 200, { ...page, items: page.items.map(shown) });
  });

  router.get('/workflows/:name', refuseQuery, async (request, response) => {
    sendJson(response, 200, shown(await find(request, response)));
  });

  router.get('/workflows/:name/versions/:version', refuseQuery, async (request, response) => {
    sendJson(response, 200, shown(await find(request, response, versionOf(request))));
  });

  router.get('/workflows/:name/graph', refuseQuery, async (request, response) => {
    const { definition, plan } = await find(request, response);
    response.type('text/plain').send(mermaidOf(definition, plan));
  });

  router.delete('/workflows/:name', refuseQuery, async (request, response) => {
    const deleted = await deleteWorkflow(db, response.locals.tenant, pathParameter(request, 'name'));
    if (!deleted) throw new ApiError('notFound');
    response.status(204).end();
  });

  router.post('/workflows/:name/runs', refuseQuery, jsonBody({ emptyAs: {} }), async (request, response) => {
    await startRun(request, response, startSchema, async ({ version }) => {
      const latest = await find(request, response);
      const row = version === null || version === latest.version ? latest : await atVersion(request, response, version);
      return { workflow: row.name, version: row.version, definition: row.definition, plan: row.plan };
    });
  });

  return router;

  function shown(row: WorkflowRow) {
    return workflowView(row, view.redaction);
  }

  async function parsed(tenant: string, body: unknown) {
    const definition = parseDefinition(body, getPolicy());
    if (!definition.ok) throw new ApiError(definition.code, { errors: definition.faults });
    const errors = await unknownSecrets(db, tenant, referencesOfDefinition(definition.definition));
    if (errors.length > 0) throw new ApiError('validationFailed', { errors });
    return definition;
  }

  async function find(request: Request, response: Response, version: number | null = null): Promise<WorkflowRow> {
    const row = await findWorkflow(db, response.locals.tenant, pathParameter(request, 'name'), version);
    if (!row) throw new ApiError('notFound');
    return row;
  }

  async function atVersion(request: Request, response: Response, version: number): Promise<WorkflowRow> {
    const row = await findWorkflow(db, response.locals.tenant, pathParameter(request, 'name'), version);
    if (row) return row;
    const errors = [{ pointer: '/version', detail: 'There is no such version.' }];
    throw new ApiError('validationFailed', { errors });
  }
}

function nameToStore(request: Request): string {
  const { name } = request.params;
  const detail = `A name matches ${NAME.source} and is not "validate".`;
  if (typeof name !== 'string' || !NAME.test(name) || name === 'validate') {
    throw new ApiError('validationFailed', { errors: [{ pointer: '/path/name', detail }] });
  }
  return name;
}

function versionOf(request: Request): number {
  const text = pathParameter(request, 'version');
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new ApiError('notFound');
  return Number(text);
}
