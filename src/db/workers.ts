// The workers table: each worker writes its own row every few seconds, operators write what it is to do.
//
// A worker is `serving`, `paused` (it takes nothing new), `draining` (for good) or `drained`: that is its own word. What
// is seen from outside is its state: `busy` with calls under way, `gone` when its heartbeat stays away.
import { LIVE_WORKER_STATES, type WorkerPhase, type WorkerState } from '../contract/worker.ts';
import { notify } from './notify.ts';
import type { Queryable } from './pool.ts';

/** Tells every worker to read its orders now. */
export const ORDERS_CHANNEL = 'perdure_orders';

/** Seven heartbeats; a worker that hangs for so long is as good as gone. */
const GONE_AFTER = `interval '15 seconds'`;
const FORGOTTEN_AFTER = `interval '7 days'`;
/** Long enough to be seen, and workers of last week are no state of today. */
const COUNTED_FOR = `interval '1 hour'`;

export interface WorkerRow {
  id: string;
  identity: string;
  host: string;
  pid: number;
  version: string;
  roles: string[];
  state: WorkerState;
  queues: string[];
  activitiesUsed: number;
  activitiesMax: number;
  workflowsUsed: number;
  workflowsMax: number;
  done: number;
  failed: number;
  startedAt: Date;
  lastHeartbeat: Date;
  createdAt: Date;
}

export interface WorkerIdentity {
  id: string;
  process: string;
  identity: string;
  host: string;
  pid: number;
  version: string;
  roles: string[];
  queue: string;
}

export interface WorkerReport {
  phase: WorkerPhase;
  activities: { used: number; max: number };
  workflows: { used: number; max: number };
  counts: { done: number; failed: number };
}

/** What a worker is to do. */
export interface Orders {
  paused: boolean;
  queuePaused: boolean;
  drain: boolean;
}

const STATE = `case when phase = 'drained' then 'drained'
    when last_heartbeat < now() - ${GONE_AFTER} then 'gone'
    when phase = 'draining' or drain_ordered then 'draining'
    when phase = 'paused' then 'paused'
    when activities_used + workflows_used > 0 then 'busy'
    else 'available' end`;

/** Of a row of `workers`: neither drained nor gone. */
export const LIVE_WORKERS = `phase <> 'drained' and last_heartbeat >= now() - ${GONE_AFTER}`;

const COLUMNS = `id, identity, host, pid, version, roles, queues, activities_used as "activitiesUsed",
  activities_max as "activitiesMax", workflows_used as "workflowsUsed", workflows_max as "workflowsMax",
  done::float8 as done, failed::float8 as failed, started_at as "startedAt", last_heartbeat as "lastHeartbeat",
  started_at as "createdAt"`;

export const WORKER_LIST = {
  table: `(select *, started_at as created_at, ${STATE} as state from workers) as worker`,
  columns: `${COLUMNS}, state`,
  conditions: { state: 'state = any(?)' },
} as const;

/** `$16`: whether this is a process that starts. It takes the row over, and with it only the pause. */
const BEAT = `with worker as (
    insert into workers (id, process, identity, host, pid, version, roles, queues, phase, activities_used, activities_max,
      workflows_used, workflows_max, done, failed, started_at, last_heartbeat)
    values ($1, $2, $3, $4, $5, $6, $7, array[$8], $9, $10, $11, $12, $13, $14, $15, now(), now())
    on conflict (id) do update set process = excluded.process, identity = excluded.identity, host = excluded.host,
      pid = excluded.pid, version = excluded.version, roles = excluded.roles, queues = excluded.queues,
      phase = excluded.phase, activities_used = excluded.activities_used, activities_max = excluded.activities_max,
      workflows_used = excluded.workflows_used, workflows_max = excluded.workflows_max, done = excluded.done,
      failed = excluded.failed, last_heartbeat = now(), drain_ordered = workers.drain_ordered and not $16,
      started_at = case when $16 then now() else workers.started_at end
    where workers.process = excluded.process or $16
    returning pause_ordered, drain_ordered)
  select pause_ordered as paused, drain_ordered as drain,
    exists (select 1 from queues where name = $8 and paused) as "queuePaused"
  from worker`;

/** Null when another process has taken over under the same id. */
export async function beat(
  db: Queryable,
  worker: WorkerIdentity,
  report: WorkerReport,
  { starting = false } = {},
): Promise<Orders | null> {
  const { id, process, identity, host, pid, version, roles, queue } = worker;
  const { phase, activities, workflows, counts } = report;
  const rows = await db.query<Orders>(BEAT, [
    ...[id, process, identity, host, pid, version, roles, queue, phase],
    ...[activities.used, activities.max, workflows.used, workflows.max, counts.done, counts.failed, starting],
  ]);
  return rows[0] ?? null;
}

/** For a process that lost its row to another: what holds for the id holds for it too. */
export async function ordersOf(db: Queryable, { id, queue }: WorkerIdentity): Promise<Orders> {
  const rows = await db.query<Orders>(
    `select pause_ordered as paused, drain_ordered as drain,
       exists (select 1 from queues where name = $2 and paused) as "queuePaused"
     from workers where id = $1`,
    [id, queue],
  );
  return rows[0] ?? { paused: false, drain: false, queuePaused: false };
}

/** A pause waits for its worker however long that is away. */
export async function forgetWorkers(db: Queryable): Promise<void> {
  await db.query(`delete from workers where last_heartbeat < now() - ${FORGOTTEN_AFTER} and not pause_ordered`);
}

export async function findWorker(db: Queryable, id: string): Promise<WorkerRow | null> {
  const rows = await db.query<WorkerRow>(`select ${COLUMNS}, ${STATE} as state from workers where id = $1`, [id]);
  return rows[0] ?? null;
}

const ORDERS = {
  pause: 'pause_ordered = true',
  resume: 'pause_ordered = false',
  drain: 'drain_ordered = true',
} as const;
export type WorkerOrder = keyof typeof ORDERS;

/** Null when the worker is in none of the states in which it can be told so. */
export async function orderWorker(db: Queryable, id: string, order: WorkerOrder): Promise<WorkerRow | null> {
  const from = LIVE_WORKER_STATES.filter((state) => order === 'drain' || state !== 'draining');
  const rows = await db.query<WorkerRow>(
    `update workers set ${ORDERS[order]} where id = $1 and ${STATE} = any($2) returning ${COLUMNS}, ${STATE} as state`,
    [id, from],
  );
  if (rows[0]) await notify(db, ORDERS_CHANNEL, id);
  return rows[0] ?? null;
}

export async function countWorkers(db: Queryable): Promise<{ state: WorkerState; count: number }[]> {
  return db.query(
    `select ${STATE} as state, count(*)::int as count from workers where last_heartbeat > now() - ${COUNTED_FOR} group by 1`,
  );
}
