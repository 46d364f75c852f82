// /v1/audit: who did what to which thing, for the admins of a tenant.
import { Router } from 'express';

import { AUDIT_LIST, type AuditRow } from '../../db/audit.ts';
import { listPage } from '../../db/list.ts';
import { queryOf, sendJson } from '../answer.ts';
import { ROUTE_ACCESS } from '../auth/route-access.ts';
import type { ApiDeps } from '../deps.ts';
import { ApiError } from '../problem.ts';
import { parseListQuery } from '../schemas/list-query.ts';

export const AUDIT_ACTIONS = [...new Set(Object.values(ROUTE_ACCESS).flatMap(({ action }) => action ?? []))];

const AUDIT_QUERY = { actor: {}, action: { values: AUDIT_ACTIONS }, target: {} };

export function auditRoutes({ db }: Pick<ApiDeps, 'db'>): Router {
  const router = Router();

  router.get('/audit', async (request, response) => {
    const parsed = parseListQuery(queryOf(request), { filters: AUDIT_QUERY });
    if (!parsed.ok) throw new ApiError('validationFailed', { errors: parsed.faults });
    const page = await listPage<AuditRow>(db, AUDIT_LIST, response.locals.tenant, parsed);
    sendJson(response, 200, { ...page, items: page.items.map(auditView) });
  });

  return router;
}

export type AuditView = ReturnType<typeof auditView>;

function auditView(row: AuditRow) {
  const { id, createdAt, tenant, actor, auth, action, targetKind, targetId, requestId, detail } = row;
  const target = { kind: targetKind, id: targetId };
  return { id, at: createdAt.toISOString(), tenant, actor, auth, action, target, requestId, detail };
}
