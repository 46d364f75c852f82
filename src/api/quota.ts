// Refuses what would be more than the tenant may have waiting, or more schedules than it may have.
import type { Response } from 'express';

import { findKey } from '../db/idempotency-keys.ts';
import type { Database } from '../db/pool.ts';
import type { IdempotencyKey } from '../jobs/accept.ts';
import type { Quotas } from '../jobs/quotas.ts';
import { ApiError } from './problem.ts';

const RETRY_WAITING_SECONDS = 1;
const RETRY_SCHEDULES_SECONDS = 60;

export interface QuotaDeps {
  db: Database;
  quotas: Quotas;
}

/** Makes room for `count` jobs or runs until the answer is sent. What was accepted before is answered again, room or not. */
export async function reserveWaiting(
  { db, quotas }: QuotaDeps,
  response: Response,
  count: number,
  key: IdempotencyKey | null,
): Promise<void> {
  const { tenant } = response.locals;
  const release = await quotas.reserveWaiting(tenant, count);
  if (release) return void response.once('close', release);
  if (key && (await findKey(db, tenant, key))) return;
  const { waitingJobs } = await quotas.of(tenant);
  throw quotaExceeded(`At most ${waitingJobs} jobs and runs may wait or be under way.`, RETRY_WAITING_SECONDS);
}

export async function assertRoomForSchedule({ quotas }: QuotaDeps, tenant: string): Promise<void> {
  if (await quotas.hasRoomForSchedule(tenant)) return;
  const { schedules } = await quotas.of(tenant);
  throw quotaExceeded(`There may be at most ${schedules} schedules.`, RETRY_SCHEDULES_SECONDS);
}

function quotaExceeded(detail: string, retryAfterSeconds: number): ApiError {
  return new ApiError('quotaExceeded', { detail, headers: { 'Retry-After': String(retryAfterSeconds) } });
}
