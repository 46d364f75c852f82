// /v1/schedules: what fires when, its ticks, and a preview by the very calendar that will decide.
import { type Request, type RequestHandler, Router } from 'express';

import { END_OF_TIMES_MS, timesBetween } from '../../calendar/evaluator.ts';
import { formatInZone } from '../../calendar/format.ts';
import { currentTime } from '../../clock.ts';
import type { FieldFault } from '../../contract/problem.ts';
import { listPage } from '../../db/list.ts';
import { findSchedule, SCHEDULE_LIST, type ScheduleRow } from '../../db/schedules.ts';
import { TICK_LIST, type TickRow } from '../../db/ticks.ts';
import { MAX_BACKFILL } from '../../jobs/schedules/schedules.ts';
import { scheduleView, tickView } from '../../jobs/schedules/view.ts';
import { referencesOfJob, unknownSecrets } from '../../jobs/secrets/references.ts';
import type { Parsed } from '../../jobs/spec/faults.ts';
import { idempotencyKeyOf, preferredWaitMs, queryOf, refuseQuery, sendJson, sendText } from '../answer.ts';
import type { ApiDeps } from '../deps.ts';
import { createJobAnswers } from '../job-answers.ts';
import { emptyBody, jsonBody } from '../middleware/body.ts';
import { ApiError } from '../problem.ts';
import { assertRoomForSchedule, reserveWaiting } from '../quota.ts';
import { createRunAnswers } from '../run-answers.ts';
import { parseListQuery } from '../schemas/list-query.ts';
import { parseSchedule, scheduleIdFault } from '../schemas/schedule.ts';
import { parseBackfill, parsePause, parsePreview, parseTickQuery } from '../schemas/schedule-requests.ts';

export function scheduleRoutes(deps: ApiDeps): Router {
  const { db, schedules, getPolicy, view } = deps;
  const { sendMade } = createJobAnswers(deps);
  const { sendMade: sendRun } = createRunAnswers(deps);
  const router = Router();

  router.use('/schedules', refuseSlashes);

  router.get('/schedules/preview', (request, response) => {
    const { calendar, timezone, fromMs, count } = valid(parsePreview(queryOf(request), currentTime()));
    const times = timesBetween(calendar, fromMs, END_OF_TIMES_MS, count);
    sendJson(response, 200, { fireTimes: times.map((ms) => formatInZone(ms, timezone)) });
  });

  router.get('/schedules', async (request, response) => {
    const parsed = parseListQuery(queryOf(request), { filters: {} });
    if (!parsed.ok) throw invalid(parsed.faults);
    const page = await listPage<ScheduleRow>(db, SCHEDULE_LIST, response.locals.tenant, parsed);
    sendJson(response, 200, { ...page, items: page.items.map((row) => scheduleView(row, view)) });
  });

  router.put('/schedules/:id', refuseQuery, jsonBody(), async (request, response) => {
    const id = String(request.params.id);
    const badId = scheduleIdFault(id);
    const { tenant } = response.locals;
    const parse = (now: Date) => parseSchedule(request.body, { policy: getPolicy(), now });
    const parsed = parse(currentTime());
    // Asked for once more when its time is over, as by one who has lost the first answer: what stands is what was asked for.
    const standing = badId || parsed.ok ? null : await findSchedule(db, { tenant, id });
    const then = standing && parse(standing.createdAt);
    if (standing && then?.ok && schedules.isAsked(standing, then.desired)) {
      return sendJson(response, 200, scheduleView(standing, view));
    }
    if (badId || !parsed.ok) {
      const errors = [...(badId ? [badId] : []), ...(parsed.ok ? [] : parsed.faults)];
      throw new ApiError(parsed.ok ? 'validationFailed' : parsed.code, { errors });
    }
    const fault = await schedules.actionFault(tenant, parsed.desired.spec);
    if (fault) throw invalid([fault]);
    const unknown = await unknownSecrets(db, tenant, referencesOfJob(parsed.desired.spec.job, '/job'));
    if (unknown.length > 0) throw invalid(unknown);
    if (!(await findSchedule(db, { tenant, id }))) await assertRoomForSchedule(deps, tenant);
    const { row, created } = await schedules.put({ tenant, id }, parsed.desired);
    if (created) response.location(`/v1/schedules/${id}`);
    sendJson(response, created ? 201 : 200, scheduleView(row, view));
  });

  router.get('/schedules/:id', refuseQuery, async (request, response) => {
    const row = await findSchedule(db, nameOf(request, response.locals.tenant));
    sendJson(response, 200, scheduleView(found(row), view));
  });

  router.delete('/schedules/:id', refuseQuery, async (request, response) => {
    if (!(await schedules.remove(nameOf(request, response.locals.tenant)))) throw new ApiError('notFound');
    response.status(204).end();
  });

  router.post('/schedules/:id/pause', refuseQuery, jsonBody({ emptyAs: {} }), async (request, response) => {
    const { note } = valid(parsePause(request.body));
    const row = await schedules.pause(nameOf(request, response.locals.tenant), note);
    sendJson(response, 200, scheduleView(found(row), view));
  });

  router.post('/schedules/:id/resume', refuseQuery, emptyBody(), async (request, response) => {
    const row = await schedules.resume(nameOf(request, response.locals.tenant));
    sendJson(response, 200, scheduleView(found(row), view));
  });

  router.post('/schedules/:id/trigger', refuseQuery, emptyBody(), async (request, response) => {
    const key = idempotencyKeyOf(request, request.body);
    const waitMs = preferredWaitMs(request, response);
    await reserveWaiting(deps, response, 1, key);
    const triggered = await schedules.trigger(nameOf(request, response.locals.tenant), key);
    if (triggered.kind === 'keyReused') throw new ApiError('idempotencyKeyReused');
    if (triggered.kind === 'notFound') throw new ApiError('notFound');
    if (triggered.kind === 'refused') throw invalid([triggered.fault]);
    const { kind, answer } = triggered;
    if (kind === 'replayed') {
      const { id, isRun } = triggered;
      if (isRun) return sendRun(response, { kind, runId: id, answer }, waitMs);
      return sendMade(response, { kind, jobId: id, answer }, waitMs);
    }
    const { made } = triggered;
    if (made.kind === 'run') return sendRun(response, { kind, runId: made.run.id, answer }, waitMs);
    return sendMade(response, { kind, job: made.job, answer }, waitMs);
  });

  router.post('/schedules/:id/backfill', refuseQuery, jsonBody(), async (request, response) => {
    const key = idempotencyKeyOf(request, request.body);
    const range = valid(parseBackfill(request.body));
    const backfilled = await schedules.backfill(nameOf(request, response.locals.tenant), range, key);
    switch (backfilled.kind) {
      case 'notFound':
        throw new ApiError('notFound');
      case 'keyReused':
        throw new ApiError('idempotencyKeyReused');
      case 'tooMany':
        throw invalid([{ pointer: '/to', detail: `At most ${MAX_BACKFILL} times may be filled in at once.` }]);
      case 'forgotten': {
        const detail = `Must be after ${backfilled.until.toISOString()}: what ran before then is not known any more.`;
        throw invalid([{ pointer: '/from', detail }]);
      }
      case 'replayed':
        response.set('Idempotency-Replayed', 'true');
        return sendText(response, 200, backfilled.answer);
      case 'accepted':
        return sendText(response, 202, backfilled.answer);
    }
  });

  router.get('/schedules/:id/ticks', async (request, response) => {
    const { tenant } = response.locals;
    const query = valid(parseTickQuery(queryOf(request)));
    const { id } = found(await findSchedule(db, nameOf(request, tenant)));
    const filters = { ...query.filters, scheduleId: [id] };
    const page = await listPage<TickRow & { createdAt: Date }>(db, TICK_LIST, tenant, { ...query, filters });
    sendJson(response, 200, { ...page, items: page.items.map(tickView) });
  });

  return router;
}

const ACTION = /^\/[^/]+\/(pause|resume|trigger|backfill|ticks)\/?$/;

/** An id with a slash in it would be a path that no route has; the caller is better served by the reason. */
const refuseSlashes: RequestHandler = ({ method, path }, _response, next) => {
  const fault = scheduleIdFault(path.replace(/^\/|\/$/g, ''));
  const isBelow = path.replace(/\/$/, '').lastIndexOf('/') > 0 && !ACTION.test(path);
  if (method === 'PUT' && isBelow && fault) throw invalid([fault]);
  next();
};

function nameOf(request: Request, tenant: string): { tenant: string; id: string } {
  const id = String(request.params.id);
  // What is no id of ours is the id of nothing.
  if (scheduleIdFault(id)) throw new ApiError('notFound');
  return { tenant, id };
}

function found(row: ScheduleRow | null): ScheduleRow {
  if (!row) throw new ApiError('notFound');
  return row;
}

function valid<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw invalid(parsed.faults);
  return parsed.value;
}

function invalid(errors: FieldFault[]): ApiError {
  return new ApiError('validationFailed', { errors });
}
