// The outbox of events: read in the order in which things happened, without ever passing over one that commits late.
//
// Triggers (0010_events.sql) write a row per statement and status; its ids are the events. A row's number is taken
// before its transaction commits, so the greatest number seen may be ahead of smaller ones that are still to come: only
// up to a number that no open transaction can be below is safe to read.
import type { Queryable } from './pool.ts';

/** The event `place` (from 1) of row `row`; everything up to and including it has been read. */
export interface EventPosition {
  row: number;
  place: number;
}

export interface EventRow extends EventPosition {
  tenant: string | null;
  subject: 'job' | 'run' | 'batch' | 'schedule' | 'tick' | 'worker';
  status: string;
  subjectId: string;
  createdAt: Date;
  name: string | null;
  labels: Record<string, string> | null;
  scheduleId: string | null;
  batchId: string | null;
  parentRunId: string | null;
  jobId: string | null;
  runId: string | null;
  nominalTime: Date | null;
  errorCode: string | null;
}

/** The number of the newest row, committed or not. */
export async function lastEventRow(db: Queryable): Promise<number> {
  const [row] = await db.query<{ last: number }>(
    'select case when is_called then last_value else 0 end::float8 as last from events_id_seq',
  );
  return row?.last ?? 0;
}

export interface Transactions {
  /** All before this one have ended. */
  oldestOpen: bigint;
  next: bigint;
}

export async function openTransactions(db: Queryable): Promise<Transactions> {
  const [row] = await db.query<{ oldestOpen: string; next: string }>(
    `select pg_snapshot_xmin(snapshot)::text as "oldestOpen", pg_snapshot_xmax(snapshot)::text as next
     from pg_current_snapshot() snapshot`,
  );
  return { oldestOpen: BigInt(row?.oldestOpen ?? 0), next: BigInt(row?.next ?? 0) };
}

/** Who has not read up to here has missed what was removed. */
export async function eventsRemovedUntil(db: Queryable): Promise<number> {
  const [row] = await db.query<{ until: number }>('select until::float8 as until from events_removed');
  return row?.until ?? 0;
}

const ROWS_AT_ONCE = 50;

/** What does not change any more is read from the thing itself; it may be gone by now. */
const READ = `with one as materialized (
    select page.id, place, tenant, subject, status, subject_id, created_at
    from (select * from events
      where id between $1 and $3 and ($4::text is null or tenant = $4 or tenant is null)
      order by id limit ${ROWS_AT_ONCE}) page, unnest(subject_ids) with ordinality as each (subject_id, place)
    where (page.id, place) > ($1, $2) order by page.id, place limit $5)
  select one.id::float8 as row, one.place::int as place, one.tenant, one.subject, one.status, one.subject_id as "subjectId",
    one.created_at as "createdAt", coalesce(job.name, run.workflow, batch.name) as name,
    coalesce(job.labels, run.labels, batch.labels) as labels,
    coalesce(job.schedule_id, run.schedule_id, tick.schedule_id) as "scheduleId", job.batch_id as "batchId",
    run.parent_run_id as "parentRunId", tick.job_id as "jobId", tick.run_id as "runId",
    tick.nominal_time as "nominalTime",
    case one.status when job.status then job.error ->> 'code' when run.status then run.error ->> 'code' end as "errorCode"
  from one
    left join jobs job on one.subject = 'job' and job.id = one.subject_id
    left join runs run on one.subject = 'run' and run.id = one.subject_id
    left join batches batch on one.subject = 'batch' and batch.id = one.subject_id
    left join ticks tick on one.subject = 'tick' and tick.id = one.subject_id
  order by one.id, one.place`;

/** The next events after `after` up to row `until`: of one tenant, or of all. Fewer than `limit` may not be all. */
export async function readEvents(
  db: Queryable,
  { after, until, tenant, limit }: { after: EventPosition; until: number; tenant: string | null; limit: number },
): Promise<EventRow[]> {
  return db.query<EventRow>(READ, [after.row, after.place, until, tenant, limit]);
}

/** A worker cannot say itself that it is gone; whoever sees it first does, once. As in workers.ts. */
export async function noteGoneWorkers(db: Queryable): Promise<void> {
  await db.query(
    `with gone as (
       update workers set noted_gone_at = now()
       where phase <> 'drained' and last_heartbeat < now() - interval '15 seconds'
         and (noted_gone_at is null or noted_gone_at < last_heartbeat) returning id)
     insert into events (subject, status, subject_ids) select 'worker', 'gone', array[id] from gone`,
  );
}

/** At most `limit` rows, oldest first. Returns how many were removed. */
export async function removeEvents(db: Queryable, before: Date, limit: number): Promise<number> {
  const [row] = await db.query<{ removed: number }>(
    `with removed as (
       delete from events where id in (select id from events order by id limit $2) and created_at < $1 returning id),
     told as (
       update events_removed set until = greatest(until, (select max(id) from removed)) where exists (select 1 from removed))
     select count(*)::int as removed from removed`,
    [before, limit],
  );
  return row?.removed ?? 0;
}
