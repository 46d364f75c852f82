// How things stand now, counted from what is open only: partial indexes keep what is final out of it.
import type { Queryable } from './pool.ts';

export interface StoreState {
  jobs: { tenant: string; status: string; count: number }[];
  /** How long the first of each status has been due without anything happening. */
  overdue: { status: string; seconds: number }[];
  runs: { tenant: string; status: string; count: number }[];
  deadLetters: { tenant: string; reason: string; count: number }[];
  batches: { running: number; items: number; open: number };
  notifications: { pending: number; overdueSeconds: number };
  schedules: { active: number; paused: number; next1m: number; next10m: number; next1h: number };
  ticks: { due: number; overdueSeconds: number };
}

/** A job that waits for others is never due; a call under way is when it began. */
const DUE = `case status when 'scheduled' then run_at when 'retrying' then next_attempt_at when 'blocked' then null
  else greatest(updated_at, run_at) end`;

const JOBS = `select tenant, status, count(*)::int as count, count(batch_id)::int as "ofBatches",
    coalesce(max(extract(epoch from now() - ${DUE})), 0)::float8 as seconds
  from jobs where finished_at is null and run_id is null group by tenant, status`;

const RUNS = `select tenant, case when paused then 'paused' else status end as status, count(*)::int as count
  from runs where finished_at is null group by 1, 2`;

const DEAD_LETTERS = `select tenant, reason, count(*)::int as count
  from dead_letters where redriven_as is null group by tenant, reason`;

const BATCHES = `select count(*)::int as running, coalesce(sum(total), 0)::int as items from batches where finished_at is null`;

const NOTIFICATIONS = `select count(*)::int as pending,
    greatest(0, coalesce(extract(epoch from now() - min(due_at)), 0))::float8 as "overdueSeconds"
  from notifications where due_at is not null`;

const within = (interval: string) =>
  `count(*) filter (where not paused and look_at < now() + interval '${interval}')::int`;
const SCHEDULES = `select count(*) filter (where not paused)::int as active, count(*) filter (where paused)::int as paused,
    ${within('1 minute')} as "next1m", ${within('10 minutes')} as "next10m", ${within('1 hour')} as "next1h"
  from schedules where deleted_at is null`;

/** What waits for an earlier run is not due, nor is what a backfill asked for late by its nominal time. */
const TICKS = `select count(*)::int as due,
    coalesce(max(extract(epoch from now() - nominal_time)) filter (where backfill_overlap is null), 0)::float8 as "overdueSeconds"
  from ticks where outcome is null and waiting_since is null`;

/** One after the other: a scrape takes one connection, not all of them. */
export async function readStoreState(db: Queryable): Promise<StoreState> {
  const jobs = await db.query<{ tenant: string; status: string; count: number; ofBatches: number; seconds: number }>(
    JOBS,
  );
  const one = async <Row>(sql: string): Promise<Row> => {
    const [row] = await db.query<Row>(sql);
    if (!row) throw new Error('a count has one row');
    return row;
  };
  return {
    jobs,
    overdue: jobs.map(({ status, seconds }) => ({ status, seconds: Math.max(0, seconds) })),
    runs: await db.query(RUNS),
    deadLetters: await db.query(DEAD_LETTERS),
    batches: {
      ...(await one<{ running: number; items: number }>(BATCHES)),
      open: jobs.reduce((sum, { ofBatches }) => sum + ofBatches, 0),
    },
    notifications: await one(NOTIFICATIONS),
    schedules: await one(SCHEDULES),
    ticks: await one(TICKS),
  };
}
