// What each route under /v1 needs, and under which name it is audited. A route that is not here is closed to everyone.
//
// To add a route: `'METHOD /path/:parameter': { scope, action }` in the order in which the router would match them.
// `action` is `<kind of thing>.<what happens to it>` and stands on every route that changes something; the thing is
// named by the parameter in the path, else by the `id` (or `name`) of the answer.
import type { Scope } from '../../contract/access.ts';

export interface RouteAccess {
  scope: Scope;
  action?: `${string}.${string}`;
  /** It changes what all tenants share, so it is for the tenant `default`, whose admins run the instance. */
  shared?: true;
}

export const ROUTE_ACCESS: Readonly<Record<string, RouteAccess>> = {
  'POST /jobs': { scope: 'submit', action: 'job.create' },
  'GET /jobs': { scope: 'read' },
  'GET /jobs/:id': { scope: 'read' },
  'GET /jobs/:id/attempts': { scope: 'read' },
  'POST /jobs/:id/cancel': { scope: 'operate', action: 'job.cancel' },
  'POST /jobs/:id/run-now': { scope: 'operate', action: 'job.runNow' },

  'POST /batches': { scope: 'submit', action: 'batch.create' },
  'GET /batches': { scope: 'read' },
  'GET /batches/:id': { scope: 'read' },
  'POST /batches/:id/cancel': { scope: 'operate', action: 'batch.cancel' },

  'GET /dead-letters': { scope: 'read' },
  'GET /dead-letters/:id': { scope: 'read' },
  'DELETE /dead-letters/:id': { scope: 'operate', action: 'deadLetter.delete' },
  'POST /dead-letters/redrive': { scope: 'operate', action: 'deadLetter.redriveMany' },
  'POST /dead-letters/:id/redrive': { scope: 'operate', action: 'deadLetter.redrive' },
  'GET /bulk-operations/:id': { scope: 'read' },
  'POST /bulk-operations/:id/abort': { scope: 'operate', action: 'bulkOperation.abort' },

  'GET /schedules/preview': { scope: 'read' },
  'GET /schedules': { scope: 'read' },
  'PUT /schedules/:id': { scope: 'operate', action: 'schedule.put' },
  'GET /schedules/:id': { scope: 'read' },
  'DELETE /schedules/:id': { scope: 'operate', action: 'schedule.delete' },
  'POST /schedules/:id/pause': { scope: 'operate', action: 'schedule.pause' },
  'POST /schedules/:id/resume': { scope: 'operate', action: 'schedule.resume' },
  'POST /schedules/:id/trigger': { scope: 'operate', action: 'schedule.trigger' },
  'POST /schedules/:id/backfill': { scope: 'operate', action: 'schedule.backfill' },
  'GET /schedules/:id/ticks': { scope: 'read' },

  // It keeps nothing and starts nothing.
  'POST /workflows/validate': { scope: 'read' },
  'PUT /workflows/:name': { scope: 'operate', action: 'workflow.put' },
  'GET /workflows': { scope: 'read' },
  'GET /workflows/:name': { scope: 'read' },
  'GET /workflows/:name/versions/:version': { scope: 'read' },
  'GET /workflows/:name/graph': { scope: 'read' },
  'DELETE /workflows/:name': { scope: 'operate', action: 'workflow.delete' },
  'POST /workflows/:name/runs': { scope: 'submit', action: 'run.create' },

  'POST /runs': { scope: 'submit', action: 'run.create' },
  'GET /runs': { scope: 'read' },
  'GET /runs/:id': { scope: 'read' },
  'GET /runs/:id/attempts': { scope: 'read' },
  'GET /runs/:id/steps/:step/items': { scope: 'read' },
  'GET /runs/:id/steps/:step/attempts': { scope: 'read' },
  'POST /runs/:id/signals/:signal': { scope: 'submit', action: 'run.signal' },
  'POST /runs/:id/cancel': { scope: 'operate', action: 'run.cancel' },
  'POST /runs/:id/pause': { scope: 'operate', action: 'run.pause' },
  'POST /runs/:id/resume': { scope: 'operate', action: 'run.resume' },
  'POST /runs/:id/redrive': { scope: 'operate', action: 'run.redrive' },

  'GET /whoami': { scope: 'read' },
  'POST /api-keys': { scope: 'admin', action: 'apiKey.create' },
  'GET /api-keys': { scope: 'admin' },
  'GET /api-keys/:id': { scope: 'admin' },
  'POST /api-keys/:id/rotate': { scope: 'admin', action: 'apiKey.rotate' },
  'DELETE /api-keys/:id': { scope: 'admin', action: 'apiKey.delete' },
  'GET /audit': { scope: 'admin' },
  'PUT /secrets/:name': { scope: 'admin', action: 'secret.put' },
  'GET /secrets': { scope: 'admin' },
  'GET /secrets/:name': { scope: 'admin' },
  'DELETE /secrets/:name': { scope: 'admin', action: 'secret.delete' },
  'POST /codec/decode': { scope: 'admin', action: 'payloads.decode' },
  'GET /quotas/:tenant': { scope: 'admin' },
  'PUT /quotas/:tenant': { scope: 'admin', action: 'quota.put', shared: true },
  'GET /settings': { scope: 'admin' },
  'PATCH /settings': { scope: 'admin', action: 'settings.change', shared: true },

  'GET /workers': { scope: 'read' },
  'GET /workers/:id': { scope: 'read' },
  'POST /workers/:id/pause': { scope: 'operate', action: 'worker.pause', shared: true },
  'POST /workers/:id/resume': { scope: 'operate', action: 'worker.resume', shared: true },
  'POST /workers/:id/drain': { scope: 'operate', action: 'worker.drain', shared: true },
  'GET /queues': { scope: 'read' },
  'GET /queues/:name': { scope: 'read' },
  'POST /queues/:name/pause': { scope: 'operate', action: 'queue.pause', shared: true },
  'POST /queues/:name/resume': { scope: 'operate', action: 'queue.resume', shared: true },
  'GET /events': { scope: 'read' },
};
