// The batches table, and a batch's items as a whole: inserted together, counted, canceled, closed when all are final.
import type { JobSpec, NotifyRule } from '../contract/job.ts';
import type { StoredError } from '../contract/problem.ts';
import type { NewJob } from './jobs.ts';
import type { Queryable } from './pool.ts';
import { CUT_OFF, OUTBOX, SETTLED, type Settled } from './settle.ts';

export interface BatchCounts {
  total: number;
  queued: number;
  running: number;
  retrying: number;
  succeeded: number;
  failed: number;
  canceled: number;
}

export interface NewBatch {
  id: string;
  tenant: string;
  name: string | null;
  concurrency: number;
  total: number;
  notify: NotifyRule[];
  labels: Record<string, string>;
  createdAt: Date;
  checkAt: Date;
}

export interface BatchRow extends Omit<NewBatch, 'checkAt'> {
  status: 'running' | 'finished' | 'canceled';
  counts: BatchCounts;
  finishedAt: Date | null;
}

export interface NewItem extends NewJob {
  batchKey: string | null;
  /** One object for all that are alike: a spec that differs in the URL at most, and, where both have a body, in that. */
  model: JobSpec;
}

const COUNTS = `select jsonb_build_object('total', count(*),
    'queued', count(*) filter (where status in ('scheduled', 'blocked', 'queued')),
    'running', count(*) filter (where status = 'running'),
    'retrying', count(*) filter (where status = 'retrying'),
    'succeeded', count(*) filter (where status = 'succeeded'),
    'failed', count(*) filter (where status in ('failed', 'expired', 'unknown')),
    'canceled', count(*) filter (where status = 'canceled'))
  from jobs where batch_id = batches.id`;

/** Said by status, which the index on batches holds. */
const OPEN = "status in ('scheduled', 'blocked', 'queued', 'running', 'retrying')";

export const BATCH_COLUMNS = `id, tenant, name, status, concurrency, total, notify, labels, coalesce(counts, (${COUNTS})) as counts,
  created_at as "createdAt", finished_at as "finishedAt"`;

export const BATCH_FILTERS = {
  status: 'status = any(?)',
  name: 'name = any(?)',
  label: 'labels @> any(?::jsonb[])',
} as const;

/** False when it is there already: the answer to an earlier try was lost. */
export async function insertBatch(tx: Queryable, batch: NewBatch): Promise<boolean> {
  const rows = await tx.query(
    `insert into batches (id, tenant, name, status, concurrency, total, notify, labels, created_at, check_at)
     values ($1, $2, $3, 'running', $4, $5, $6::jsonb, $7::jsonb, $8, $9) on conflict (id) do nothing returning id`,
    [
      batch.id,
      batch.tenant,
      batch.name,
      batch.concurrency,
      batch.total,
      JSON.stringify(batch.notify),
      JSON.stringify(batch.labels),
      batch.createdAt,
      batch.checkAt,
    ],
  );
  return rows.length === 1;
}

/** `$4` when, `$5` the models: each is sent once, and a spec is its model with the URL and the body it has of its own. */
const INSERT_ITEMS = `insert into jobs (id, tenant, name, status, spec, host, labels, run_at, deadline_at, batch_id, batch_key,
    carrier, outbound_key, trace_parent, created_at, updated_at, check_at)
  select id, $2, model ->> 'name', status,
    case when url is null then model
      when body is null then jsonb_set(model, '{http,url}', to_jsonb(url))
      else jsonb_set(jsonb_set(model, '{http,url}', to_jsonb(url)), '{http,body}', body) end,
    host, model -> 'labels', "runAt", "deadlineAt", $3, "batchKey", carrier, id, "traceParent", $4, $4, "checkAt"
  from (select item.*, $5::jsonb -> "modelAt" as model
    from jsonb_to_recordset($1::jsonb) as item (id text, "modelAt" int, url text, body jsonb, status text, host text,
      "runAt" timestamptz, "deadlineAt" timestamptz, "batchKey" text, carrier text, "traceParent" text,
      "checkAt" timestamptz)) item`;

/** What PostgreSQL is sent of some items: made apart, so that it can be made while it works on others. */
export type SentItems = [rows: string, tenant: string, batchId: string, createdAt: Date, models: string];

export function sentItems(batch: NewBatch, items: NewItem[]): SentItems {
  const places = new Map<JobSpec, number>();
  const rows = items.map((item) => {
    const modelAt = places.get(item.model) ?? places.size;
    places.set(item.model, modelAt);
    return rowOf(item, modelAt);
  });
  const models = JSON.stringify([...places.keys()]);
  return [JSON.stringify(rows), batch.tenant, batch.id, batch.createdAt, models];
}

export async function insertItems(tx: Queryable, sent: SentItems): Promise<void> {
  await tx.query(INSERT_ITEMS, sent);
}

/** What is null is left out: it need not be written, sent and read. */
function rowOf({ spec: { http }, model, ...item }: NewItem, modelAt: number): object {
  const isModel = http.url === model.http.url && http.body === model.http.body;
  return {
    id: item.id,
    modelAt,
    url: isModel ? undefined : http.url,
    body: isModel ? undefined : (http.body ?? undefined),
    status: item.status,
    host: item.host,
    runAt: item.runAt ?? undefined,
    deadlineAt: item.deadlineAt ?? undefined,
    batchKey: item.batchKey ?? undefined,
    carrier: item.carrier ?? undefined,
    traceParent: item.traceParent,
    checkAt: item.checkAt ?? undefined,
  };
}

export async function insertItemDependencies(tx: Queryable, edges: { id: string; parentId: string }[]): Promise<void> {
  await tx.query('insert into job_dependencies (job_id, parent_id) select * from unnest($1::text[], $2::text[])', [
    edges.map(({ id }) => id),
    edges.map(({ parentId }) => parentId),
  ]);
}

export async function findBatch(db: Queryable, tenant: string, id: string): Promise<BatchRow | null> {
  const rows = await db.query<BatchRow>(`select ${BATCH_COLUMNS} from batches where tenant = $1 and id = $2`, [
    tenant,
    id,
  ]);
  return rows[0] ?? null;
}

export async function findBatchOfAnyTenant(db: Queryable, id: string): Promise<BatchRow | null> {
  const rows = await db.query<BatchRow>(`select ${BATCH_COLUMNS} from batches where id = $1`, [id]);
  return rows[0] ?? null;
}

/** Fixes the counts and tells the world, once, when no item is open any more. Null when that is not now. */
export async function closeBatch(db: Queryable, id: string): Promise<{ notified: boolean } | null> {
  const rows = await db.query<{ notified: boolean }>(
    `with batch as (
       update batches set status = case status when 'running' then 'finished' else status end, counts = (${COUNTS}),
         finished_at = coalesce(finished_at, now()), check_at = null
       where id = $1 and counts is null
         and not exists (select 1 from jobs where batch_id = $1 and ${OPEN})
       returning *),
     outbox as (
       insert into notifications (id, tenant, subject_id, event, rule, due_at, created_at)
       select 'msg_' || replace(gen_random_uuid()::text, '-', ''), tenant, id, 'batch.finished', rule, now(), now()
       from batch, jsonb_array_elements(notify) rule)
     select jsonb_array_length(notify) > 0 as notified from batch`,
    [id],
  );
  return rows[0] ?? null;
}

/** `$1` batch, `$2` tenant, `$3` error. The rows are locked in the order of their ids, as everywhere. */
const CANCEL = `with batch as (
    update batches set status = 'canceled', finished_at = now() 
    where id = $1 and tenant = $2 and status = 'running'
      and exists (select 1 from jobs where batch_id = $1 and ${OPEN}) returning 1),
  open as (
    select id, carrier is null and status = 'running' as calling_alone, attempt_id as was_attempt from jobs
    where batch_id = $1 and ${OPEN} and exists (select 1 from batch) order by id for update),
  job as (
    update jobs set status = 'canceled', error = $3::jsonb, attempt_id = null, next_attempt_at = null, updated_at = now(),
      finished_at = now(), carrier = null,
      check_at = case when jobs.carrier is null then now() + interval '5 seconds' end
    from open where jobs.id = open.id returning jobs.*, calling_alone, was_attempt),
  ${CUT_OFF},
  attempt as (
    update attempts set outcome = 'unknown', error = $3::jsonb, finished_at = now()
    where outcome = 'open' and job_id in (select id from job)),
  ${OUTBOX}
  select ${SETTLED}, calling_alone as "callingAlone" from job`;

export interface CanceledItem extends Settled {
  /** A call is under way that the batch's workflow does not know of. */
  callingAlone: boolean;
}

/** Ends what is open; nothing, when the batch is final. */
export async function cancelItems(
  db: Queryable,
  tenant: string,
  id: string,
  error: StoredError,
): Promise<CanceledItem[]> {
  return db.query<CanceledItem>(CANCEL, [id, tenant, JSON.stringify(error)]);
}

export interface DueBatch {
  id: string;
  tenant: string;
  concurrency: number;
  total: number;
  seenInTemporal: boolean;
  /** Items whose first attempt is still the batch's own business. */
  hasCarried: boolean;
}

export async function takeDueBatches(db: Queryable, limit: number): Promise<DueBatch[]> {
  return db.query<DueBatch>(
    `update batches set check_at = now() + case when seen_in_temporal then interval '45 seconds' else interval '5 seconds' end
     where id in (select id from batches where check_at <= now() order by check_at limit $1 for update skip locked)
     returning id, tenant, concurrency, total, seen_in_temporal as "seenInTemporal",
       exists (select 1 from jobs where batch_id = batches.id and ${OPEN} and carrier is not null) as "hasCarried"`,
    [limit],
  );
}

export async function markBatchSeen(db: Queryable, id: string): Promise<void> {
  await db.query('update batches set seen_in_temporal = true where id = $1 and not seen_in_temporal', [id]);
}
