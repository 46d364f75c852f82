// /v1/events: what happens, as it happens, as server-sent events.
import { Router } from 'express';

import { queryOf } from '../answer.ts';
import type { ApiDeps } from '../deps.ts';
import { streamEvents } from '../event-stream.ts';
import { ApiError } from '../problem.ts';
import { parseEventQuery } from '../schemas/event-query.ts';

/** Each holds a connection, and what its reader has not taken yet. */
const MAX_STREAMS = 200;

export function eventRoutes({ events: hub, metrics, log }: Pick<ApiDeps, 'events' | 'metrics' | 'log'>): Router {
  const router = Router();
  let open = 0;

  router.get('/events', async (request, response) => {
    const parsed = parseEventQuery(queryOf(request), request.get('last-event-id'));
    if (!parsed.ok) throw new ApiError('validationFailed', { errors: parsed.faults });
    const { after, matches } = parsed.value;
    if (after && !(await hub.isKept(after))) throw new ApiError('eventsGone');
    if (hub.closing.aborted) throw new ApiError('storeUnavailable', { headers: { 'Retry-After': '1' } });
    if (open >= MAX_STREAMS) {
      const detail = `This process serves at most ${MAX_STREAMS} streams at a time.`;
      throw new ApiError('tooManyRequests', { detail, headers: { 'Retry-After': '5' } });
    }
    open += 1;
    metrics.eventStreams.inc();
    try {
      const start = await hub.join();
      await streamEvents(hub, response, { tenant: response.locals.tenant, after: after ?? start, matches });
    } catch (error) {
      if (!response.headersSent) throw error;
      // The store is away: the reader comes back and goes on after the last event it got.
      log.warn({ err: error }, 'a stream of events was broken off');
    } finally {
      open -= 1;
      metrics.eventStreams.dec();
      hub.leave();
    }
  });

  return router;
}
