// /v1/api-keys: made, listed, replaced and revoked by the admins of a tenant. A key is told once and kept nowhere.
import { Router } from 'express';

import { DEFAULT_TENANT } from '../../contract/access.ts';
import {
  API_KEY_LIST,
  type ApiKeyRow,
  deleteApiKey,
  expireApiKeyBy,
  findApiKey,
  type NewApiKey,
} from '../../db/api-keys.ts';
import { listPage } from '../../db/list.ts';
import { parseBySchema } from '../../jobs/spec/faults.ts';
import { idempotencyKeyOf, pathParameter, queryOf, refuseQuery, sendJson } from '../answer.ts';
import { createApiKey } from '../auth/api-keys.ts';
import type { ApiDeps } from '../deps.ts';
import { jsonBody } from '../middleware/body.ts';
import { ApiError } from '../problem.ts';
import { newApiKeySchema, rotateApiKeySchema, timeAfter } from '../schemas/api-key.ts';
import { parseListQuery } from '../schemas/list-query.ts';

export function apiKeyRoutes({ db }: Pick<ApiDeps, 'db'>): Router {
  const router = Router();

  router.post('/api-keys', refuseQuery, jsonBody(), async (request, response) => {
    // Refused where malformed, as everywhere; but a key is kept nowhere, so there is nothing to replay.
    idempotencyKeyOf(request, request.body);
    const parsed = parseBySchema(newApiKeySchema, request.body);
    if (!parsed.ok) throw new ApiError('validationFailed', { errors: parsed.faults });
    const { name, scopes, tenant: asked, expiresIn } = parsed.value;
    const { tenant: own } = response.locals;
    const tenant = asked ?? own;
    // The admins of the default tenant run the instance: it is they who let the first admin of another tenant in.
    if (tenant !== own && own !== DEFAULT_TENANT) {
      const detail = `Only a token of the tenant "${DEFAULT_TENANT}" may make keys for another tenant.`;
      throw new ApiError('validationFailed', { errors: [{ pointer: '/tenant', detail }] });
    }
    const expiresAt = timeAfter(expiresIn, new Date());
    const made = await db.asService(() => createApiKey(db, { name, scopes, tenant, expiresAt }));
    response.locals.auditDetail = auditDetail(made);
    response.location(`/v1/api-keys/${made.id}`);
    sendJson(response, 201, newKeyView(made));
  });

  router.get('/api-keys', async (request, response) => {
    const parsed = parseListQuery(queryOf(request), { filters: {} });
    if (!parsed.ok) throw new ApiError('validationFailed', { errors: parsed.faults });
    const page = await listPage<ApiKeyRow>(db, API_KEY_LIST, response.locals.tenant, parsed);
    sendJson(response, 200, { ...page, items: page.items.map(keyView) });
  });

  router.get('/api-keys/:id', refuseQuery, async (request, response) => {
    sendJson(response, 200, keyView(await find(response.locals.tenant, pathParameter(request, 'id'))));
  });

  router.post('/api-keys/:id/rotate', refuseQuery, jsonBody({ emptyAs: {} }), async (request, response) => {
    const parsed = parseBySchema(rotateApiKeySchema, request.body);
    if (!parsed.ok) throw new ApiError('validationFailed', { errors: parsed.faults });
    const { tenant } = response.locals;
    const { id, name, scopes } = await find(tenant, pathParameter(request, 'id'));
    const now = new Date();
    const made = await db.transaction(async (tx) => {
      const expiresAt = timeAfter(parsed.value.expiresIn, now);
      const key = await createApiKey(tx, { name, scopes, tenant, expiresAt });
      const ended = await expireApiKeyBy(tx, tenant, id, timeAfter(parsed.value.overlap, now) ?? now);
      if (!ended) throw new ApiError('notFound');
      return key;
    });
    response.locals.auditDetail = auditDetail(made);
    response.location(`/v1/api-keys/${made.id}`);
    sendJson(response, 201, newKeyView(made));
  });

  router.delete('/api-keys/:id', refuseQuery, async (request, response) => {
    const deleted = await deleteApiKey(db, response.locals.tenant, pathParameter(request, 'id'));
    if (!deleted) throw new ApiError('notFound');
    response.status(204).end();
  });

  async function find(tenant: string, id: string): Promise<ApiKeyRow> {
    const row = await findApiKey(db, tenant, id);
    if (!row) throw new ApiError('notFound');
    return row;
  }

  return router;
}

type ApiKeyView = ReturnType<typeof keyView>;

export function keyView({ id, name, scopes, tenant, prefix, createdAt, expiresAt, lastUsedAt }: ApiKeyRow) {
  return {
    ...{ id, name, scopes, tenant, prefix },
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}

export function newKeyView(made: NewApiKey & { key: string }): ApiKeyView & { key: string } {
  const { id, name, scopes, tenant, prefix, ...times } = keyView({ ...made, lastUsedAt: null });
  return { id, name, scopes, tenant, prefix, key: made.key, ...times };
}

function auditDetail({ name, scopes, tenant, prefix }: NewApiKey): Record<string, unknown> {
  return { name, scopes, tenant, prefix };
}
