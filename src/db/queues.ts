// The queues table: the task queues that are known, and whether anything new may start from them.
import { notify } from './notify.ts';
import type { Queryable } from './pool.ts';
import { LIVE_WORKERS, ORDERS_CHANNEL } from './workers.ts';

export interface QueueRow {
  name: string;
  paused: boolean;
  /** Those that are there, whatever they do. */
  workers: number;
  createdAt: Date;
}

export interface Backlog {
  backlog: number;
  oldestAgeSeconds: number | null;
}

const WORKERS = `(select count(*)::int from workers where queues.name = any(workers.queues) and ${LIVE_WORKERS})`;
const COLUMNS = `name, paused, created_at as "createdAt"`;

export const QUEUE_LIST = {
  // Names may hold what an id in a cursor may not.
  table: `(select *, md5(name) as id, ${WORKERS} as workers from queues) as queue`,
  columns: `id, ${COLUMNS}, workers`,
  conditions: {},
} as const;

/** A queue is known from the moment that a process serves or fills it. */
export async function registerQueue(db: Queryable, name: string): Promise<void> {
  await db.query('insert into queues (name) values ($1) on conflict do nothing', [name]);
}

export async function findQueue(db: Queryable, name: string): Promise<QueueRow | null> {
  const rows = await db.query<QueueRow>(`select ${COLUMNS}, ${WORKERS} as workers from queues where name = $1`, [name]);
  return rows[0] ?? null;
}

/** At most a hundred: each is a label of metrics. */
export async function listQueues(db: Queryable): Promise<Pick<QueueRow, 'name' | 'paused'>[]> {
  return db.query('select name, paused from queues order by created_at, name limit 100');
}

/** Null when there is no such queue. */
export async function setQueuePaused(db: Queryable, name: string, paused: boolean): Promise<QueueRow | null> {
  const rows = await db.query<QueueRow>(
    `update queues set paused = $2 where name = $1 returning ${COLUMNS}, ${WORKERS} as workers`,
    [name, paused],
  );
  if (rows[0]) await notify(db, ORDERS_CHANNEL, name);
  return rows[0] ?? null;
}

/** What could run now and does not; its age counts from the moment it could. Each part is read from an index. */
export async function readBacklog(db: Queryable): Promise<Backlog> {
  const rows = await db.query<Backlog>(
    `select count(*)::int as backlog, 
       round(extract(epoch from now() - min(least(since, now()))), 3)::float8 as "oldestAgeSeconds" from (
       select updated_at as since from jobs where finished_at is null and status = 'queued'
       union all select run_at from jobs where status = 'scheduled' and run_at <= now()
       union all select next_attempt_at from jobs where status = 'retrying' and next_attempt_at <= now()
       union all select coalesce(run_at, created_at) from runs
         where status in ('scheduled', 'queued') and coalesce(run_at, created_at) <= now() and not paused
     ) as due`,
  );
  return rows[0] ?? { backlog: 0, oldestAgeSeconds: null };
}
