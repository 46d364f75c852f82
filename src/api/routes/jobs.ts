// /v1/jobs: submit, read, list, cancel, run now.
import { Router } from 'express';

import { currentTime } from '../../clock.ts';
import { JOB_STATUSES } from '../../contract/job.ts';
import { RUN_NOW_SIGNAL } from '../../contract/temporal.ts';
import { listAttempts } from '../../db/attempts.ts';
import { JOB_COLUMNS, JOB_FILTERS, type JobRow, markRunNow } from '../../db/jobs.ts';
import { listPage } from '../../db/list.ts';
import type { Acceptance, IdempotencyKey } from '../../jobs/accept.ts';
import { replayOf } from '../../jobs/once.ts';
import { referencesOfJob, unknownSecrets } from '../../jobs/secrets/references.ts';
import { parseJobSpec } from '../../jobs/spec/parse-job-spec.ts';
import { attemptView, jobView } from '../../jobs/view.ts';
import {
  idempotencyKeyOf,
  pathParameter,
  preferredWaitMs,
  queryOf,
  refuseQuery,
  sendJson,
  waitParameterMs,
} from '../answer.ts';
import { draftAudit } from '../auth/audit.ts';
import type { ApiDeps } from '../deps.ts';
import { createJobAnswers, unknownParents } from '../job-answers.ts';
import { emptyBody, jsonBody } from '../middleware/body.ts';
import { ApiError } from '../problem.ts';
import { reserveWaiting } from '../quota.ts';
import { HOST_FILTER, parseListQuery } from '../schemas/list-query.ts';

const JOB_LIST = { table: 'jobs', columns: JOB_COLUMNS, conditions: JOB_FILTERS, where: 'run_id is null' };

const JOB_QUERY = {
  status: { values: JOB_STATUSES },
  name: {},
  label: {},
  host: HOST_FILTER,
  scheduleId: {},
  batchId: {},
};

export function jobRoutes(deps: ApiDeps): Router {
  const { db, accept, cancel, getPolicy, view } = deps;
  const { find, waitFor, sendMade } = createJobAnswers(deps);
  const router = Router();

  router.post('/jobs', refuseQuery, jsonBody(), async (request, response) => {
    const { tenant, within, traceParent } = response.locals;
    const content: unknown = request.body;
    const key = idempotencyKeyOf(request, content);
    const waitMs = preferredWaitMs(request, response);
    const parsed = parseJobSpec(content, { policy: getPolicy(), now: currentTime() });
    const faults = parsed.ok ? await unknownSecrets(db, tenant, referencesOfJob(parsed.spec)) : parsed.faults;
    if (parsed.ok) await within(reserveWaiting(deps, response, 1, key));
    // What was valid when it was first sent (a time ahead, a target allowed) is still answered as it was then.
    const accepted: Acceptance | null =
      parsed.ok && faults.length === 0
        ? await within(accept({ tenant, spec: parsed.spec, traceParent, audit: draftAudit(response, 201) }, key))
        : await replayOfJob(tenant, key);
    if (!accepted) throw new ApiError(parsed.ok ? 'validationFailed' : parsed.code, { errors: faults });
    if (accepted.kind === 'keyReused') throw new ApiError('idempotencyKeyReused');
    if (accepted.kind === 'unknownParents') throw unknownParents(parsed.ok ? parsed.spec.dependsOn : [], accepted.ids);
    if (accepted.kind === 'created') response.locals.isAudited = true;
    await sendMade(response, accepted, waitMs);
  });

  router.get('/jobs', async (request, response) => {
    const parsed = parseListQuery(queryOf(request), {
      filters: JOB_QUERY,
    });
    if (!parsed.ok) throw new ApiError('validationFailed', { errors: parsed.faults });
    const page = await listPage<JobRow>(db, JOB_LIST, response.locals.tenant, parsed);
    sendJson(response, 200, { ...page, items: page.items.map((job) => jobView(job, view)) });
  });

  router.get('/jobs/:id', async (request, response) => {
    const waitMs = waitParameterMs(request);
    const { tenant } = response.locals;
    const id = pathParameter(request, 'id');
    sendJson(response, 200, jobView(await waitFor(tenant, id, waitMs), view));
  });

  router.get('/jobs/:id/attempts', refuseQuery, async (request, response) => {
    const { tenant } = response.locals;
    const { id } = await find(tenant, pathParameter(request, 'id'));
    sendJson(response, 200, { items: (await listAttempts(db, tenant, id)).map(attemptView), nextCursor: null });
  });

  router.post('/jobs/:id/cancel', refuseQuery, emptyBody(), async (request, response) => {
    const { tenant } = response.locals;
    const { id } = await find(tenant, pathParameter(request, 'id'));
    if (!(await cancel(tenant, id))) throw new ApiError('alreadyFinal');
    sendJson(response, 200, jobView(await find(tenant, id), view));
  });

  router.post('/jobs/:id/run-now', refuseQuery, emptyBody(), async (request, response) => {
    const { tenant } = response.locals;
    const { id } = await find(tenant, pathParameter(request, 'id'));
    const job = await markRunNow(db, tenant, id);
    if (!job) throw new ApiError('notWaiting');
    // The relay sends it again where this one does not arrive.
    void deps.client.workflow
      .getHandle(id)
      .signal(RUN_NOW_SIGNAL)
      .catch((error: unknown) => deps.log.warn({ jobId: id, err: error }, 'run-now not signaled; the relay will'));
    sendJson(response, 200, jobView(job, view));
  });

  async function replayOfJob(tenant: string, key: IdempotencyKey | null): Promise<Acceptance | null> {
    const known = await replayOf(db, tenant, key);
    return known?.kind === 'replayed' ? { kind: 'replayed', jobId: known.id, answer: known.answer } : known;
  }

  return router;
}
