// /v1/secrets: values that jobs name instead of holding them. They go in and never come out.
import { type Request, type Response, Router } from 'express';

import { listPage } from '../../db/list.ts';
import { deleteSecret, findSecret, SECRET_LIST, type SecretRow } from '../../db/secrets.ts';
import { parseBySchema } from '../../jobs/spec/faults.ts';
import { pathParameter, queryOf, refuseQuery, sendJson } from '../answer.ts';
import type { ApiDeps } from '../deps.ts';
import { jsonBody } from '../middleware/body.ts';
import { ApiError } from '../problem.ts';
import { parseListQuery } from '../schemas/list-query.ts';
import { secretNameFault, secretSchema } from '../schemas/secret.ts';

export function secretRoutes({ db, secrets }: Pick<ApiDeps, 'db' | 'secrets'>): Router {
  const router = Router();

  router.put('/secrets/:name', refuseQuery, jsonBody(), async (request, response) => {
    const name = String(request.params.name);
    const badName = secretNameFault(name);
    const parsed = parseBySchema(secretSchema, request.body);
    if (badName || !parsed.ok) {
      throw new ApiError('validationFailed', {
        errors: [...(badName ? [badName] : []), ...(parsed.ok ? [] : parsed.faults)],
      });
    }
    const put = await secrets.put(response.locals.tenant, name, parsed.value.value);
    if (put.kind === 'masterKeyMissing') {
      throw new ApiError('masterKeyMissing', { detail: 'Set PERDURE_MASTER_KEY: secrets are encrypted under it.' });
    }
    if (put.kind === 'created') response.location(`/v1/secrets/${name}`);
    sendJson(response, put.kind === 'created' ? 201 : 200, secretView(put.row));
  });

  router.get('/secrets', async (request, response) => {
    const query = parseListQuery(queryOf(request), { filters: {} });
    if (!query.ok) throw new ApiError('validationFailed', { errors: query.faults });
    const page = await listPage<SecretRow>(db, SECRET_LIST, response.locals.tenant, query);
    sendJson(response, 200, { ...page, items: page.items.map(secretView) });
  });

  router.get('/secrets/:name', refuseQuery, async (request, response) => {
    sendJson(response, 200, secretView(await find(request, response)));
  });

  router.delete('/secrets/:name', refuseQuery, async (request, response) => {
    if (!(await deleteSecret(db, response.locals.tenant, pathParameter(request, 'name')))) {
      throw new ApiError('notFound');
    }
    response.status(204).end();
  });

  return router;

  async function find(request: Request, response: Response): Promise<SecretRow> {
    const row = await findSecret(db, response.locals.tenant, pathParameter(request, 'name'));
    if (!row) throw new ApiError('notFound');
    return row;
  }
}

export function secretView({ name, version, createdAt, updatedAt }: SecretRow) {
  return { name, version, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}
