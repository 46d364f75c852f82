// What tenants may use where that differs from the defaults, and how much of it they use.
import type { Queryable } from './pool.ts';

/** 0: no limit. */
export interface Quota {
  requestsPerSecond: number;
  waitingJobs: number;
  schedules: number;
  bodyBytes: number;
}

/** Null: the default holds. */
export type QuotaOverride = { [Limit in keyof Quota]: number | null };

const COLUMNS = `requests_per_second as "requestsPerSecond", waiting_jobs as "waitingJobs", schedules,
  body_bytes as "bodyBytes"`;

export async function allOverrides(db: Queryable): Promise<(QuotaOverride & { tenant: string })[]> {
  return db.query(`select tenant, ${COLUMNS} from tenant_quotas`);
}

export async function findOverride(db: Queryable, tenant: string): Promise<QuotaOverride | null> {
  const rows = await db.query<QuotaOverride>(`select ${COLUMNS} from tenant_quotas where tenant = $1`, [tenant]);
  return rows[0] ?? null;
}

export async function putOverride(db: Queryable, tenant: string, override: QuotaOverride): Promise<void> {
  const { requestsPerSecond, waitingJobs, schedules, bodyBytes } = override;
  await db.query(
    `insert into tenant_quotas (tenant, requests_per_second, waiting_jobs, schedules, body_bytes, updated_at)
     values ($1, $2, $3, $4, $5, now())
     on conflict (tenant) do update set requests_per_second = excluded.requests_per_second,
       waiting_jobs = excluded.waiting_jobs, schedules = excluded.schedules, body_bytes = excluded.body_bytes,
       updated_at = excluded.updated_at`,
    [tenant, requestsPerSecond, waitingJobs, schedules, bodyBytes],
  );
}

/** Jobs and runs that are not final, counted no further than `limit`. */
export async function countWaiting(db: Queryable, tenant: string, limit: number): Promise<number> {
  const [row] = await db.query<{ waiting: number }>(
    `select count(*)::int as waiting from (
       (select 1 from jobs where tenant = $1 and finished_at is null limit $2)
       union all (select 1 from runs where tenant = $1 and finished_at is null limit $2)) open`,
    [tenant, limit],
  );
  return row?.waiting ?? 0;
}

export async function countSchedules(db: Queryable, tenant: string): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    'select count(*)::int as count from schedules where tenant = $1 and deleted_at is null',
    [tenant],
  );
  return row?.count ?? 0;
}
