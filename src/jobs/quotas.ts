// What a tenant may use: requests a second (counted in this process), work that waits, schedules (counted in PostgreSQL).
//
// The count of what waits lives for a moment: between two counts this process adds what it accepts itself. Several
// processes may together let through what they accept within that moment.
import type { Database } from '../db/pool.ts';
import { allOverrides, countSchedules, countWaiting, type Quota } from '../db/quotas.ts';
import type { Logger } from '../telemetry/log.ts';

const OVERRIDES_LIFE_MS = 10_000;
const COUNT_LIFE_MS = 1_000;
/** Full buckets say nothing: above this many they are forgotten. */
const MAX_BUCKETS = 10_000;

export interface Quotas {
  of(tenant: string): Promise<Quota>;
  /** Null: it may pass. Else after how many seconds it may try again. */
  takeRequest(tenant: string, requestsPerSecond: number): number | null;
  /** Room for `count` more that wait; null when there is none. Call what it answers when they are written or refused. */
  reserveWaiting(tenant: string, count: number): Promise<(() => void) | null>;
  hasRoomForSchedule(tenant: string): Promise<boolean>;
  /** What was changed here holds at once; other processes follow within ten seconds. */
  forgetOverrides(): void;
}

export interface QuotaDeps {
  db: Database;
  defaults: Quota;
  log: Logger;
  nowMs?: () => number;
}

export function createQuotas({ db, defaults, log, nowMs = () => performance.now() }: QuotaDeps): Quotas {
  const of = createLookup({ db, defaults, log, nowMs });
  const reserve = createWaitingCount(db, nowMs);
  return {
    of: of.get,
    forgetOverrides: of.forget,
    takeRequest: createBuckets(nowMs),
    async reserveWaiting(tenant, count) {
      const { waitingJobs } = await of.get(tenant);
      return waitingJobs === 0 ? () => {} : reserve(tenant, count, waitingJobs);
    },
    async hasRoomForSchedule(tenant) {
      const { schedules } = await of.get(tenant);
      return schedules === 0 || (await countSchedules(db, tenant)) < schedules;
    },
  };
}

function createLookup({ db, defaults, log, nowMs }: Required<QuotaDeps>) {
  let known = new Map<string, Quota>();
  let readAtMs = -Infinity;
  let reading: Promise<void> | null = null;

  const read = async (): Promise<void> => {
    try {
      const rows = await db.asService(() => allOverrides(db));
      known = new Map(
        rows.map((row) => [
          row.tenant,
          {
            requestsPerSecond: row.requestsPerSecond ?? defaults.requestsPerSecond,
            waitingJobs: row.waitingJobs ?? defaults.waitingJobs,
            schedules: row.schedules ?? defaults.schedules,
            bodyBytes: row.bodyBytes ?? defaults.bodyBytes,
          },
        ]),
      );
    } catch (error) {
      log.warn({ err: error }, 'quotas not read; those known before hold');
    }
    readAtMs = nowMs();
    reading = null;
  };

  return {
    async get(tenant: string): Promise<Quota> {
      const isFirst = readAtMs === -Infinity;
      if (nowMs() - readAtMs > OVERRIDES_LIFE_MS) reading ??= read();
      // Later ones need not wait: what was known a moment ago will do.
      if (isFirst && reading) await reading;
      return known.get(tenant) ?? defaults;
    },
    forget(): void {
      readAtMs = -Infinity;
    },
  };
}

function createBuckets(nowMs: () => number) {
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return (tenant: string, perSecond: number): number | null => {
    if (perSecond === 0) return null;
    const now = nowMs();
    const bucket = buckets.get(tenant) ?? { tokens: perSecond, atMs: now };
    bucket.tokens = Math.min(perSecond, bucket.tokens + ((now - bucket.atMs) / 1_000) * perSecond);
    bucket.atMs = now;
    if (buckets.size >= MAX_BUCKETS) buckets.clear();
    buckets.set(tenant, bucket);
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond));
    bucket.tokens--;
    return null;
  };
}

function createWaitingCount(db: Database, nowMs: () => number) {
  interface Count {
    waiting: number;
    /** Reserved and perhaps not yet written: not in the next count. */
    underWay: number;
    countedAtMs: number;
    counting: Promise<void> | null;
  }
  const counts = new Map<string, Count>();

  const recount = async (tenant: string, count: Count, limit: number): Promise<void> => {
    try {
      count.waiting = (await countWaiting(db, tenant, limit)) + count.underWay;
      count.countedAtMs = nowMs();
    } finally {
      count.counting = null;
    }
  };

  return async (tenant: string, wanted: number, limit: number): Promise<(() => void) | null> => {
    const count = counts.get(tenant) ?? { waiting: 0, underWay: 0, countedAtMs: -Infinity, counting: null };
    if (counts.size >= MAX_BUCKETS) counts.clear();
    counts.set(tenant, count);
    if (nowMs() - count.countedAtMs > COUNT_LIFE_MS) await (count.counting ??= recount(tenant, count, limit));
    if (count.waiting + wanted > limit) return null;
    count.waiting += wanted;
    count.underWay += wanted;
    return () => {
      count.underWay -= wanted;
    };
  };
}
