// Accepts jobs, one or many in one statement: each with its key and its row of the audit log, or not at all.
import { type AuditRow, INSERT_AUDIT, isAuditFailure } from './audit.ts';
import type { NewJob, NewKey } from './jobs.ts';
import { type Database, type Queryable, StoreUnavailableError } from './pool.ts';

export interface Insertion {
  job: NewJob;
  key: NewKey | null;
  /** Of whoever asked for it: it stands in the log when, and only when, the job is there. */
  audit?: AuditRow | null;
}

/**
 * In the order of their keys: whoever else writes some of the same waits, and nobody waits in a circle. `is true`: those
 * in the log are found by hash; a join, for which `Database.bulk` has nothing but loops, would look at every pair.
 */
const INSERT_JOBS = `with given as (
    select * from jsonb_to_recordset($2::jsonb) as given (id text, tenant text, status text, spec jsonb, host text,
      "runAt" timestamptz, "deadlineAt" timestamptz, "scheduleId" text, "batchId" text, "redriveOf" text, carrier text,
      "outboundKey" text, "traceParent" text, "createdAt" timestamptz, "checkAt" timestamptz,
      scope text, key text, fingerprint text, answer text)),
  new_key as (
    insert into idempotency_keys (tenant, scope, key, fingerprint, resource_id, answer, created_at)
    select tenant, scope, key, fingerprint, id, answer, "createdAt" from given where key is not null
    order by tenant, scope, key on conflict do nothing returning resource_id),
  new_job as (
    insert into jobs (id, tenant, name, status, spec, host, labels, run_at, deadline_at, schedule_id, batch_id, redrive_of,
      carrier, outbound_key, trace_parent, created_at, updated_at, check_at)
    select id, tenant, spec ->> 'name', status, spec, host, spec -> 'labels', "runAt", "deadlineAt", "scheduleId",
      "batchId", "redriveOf", carrier, "outboundKey", "traceParent", "createdAt", "createdAt", "checkAt"
    from given where key is null or id in (select resource_id from new_key)
    order by id on conflict (id) do nothing returning id),
  new_audit as (${INSERT_AUDIT} where ("targetId" in (select id from new_job)) is true)
  select id from new_job`;

/** For each whether it was inserted; where not, its id or its key was taken. */
export async function insertJobs({ bulk }: Pick<Database, 'bulk'>, insertions: Insertion[]): Promise<boolean[]> {
  const rows = await bulk.query<{ id: string }>(INSERT_JOBS, valuesOf(insertions));
  const inserted = new Set(rows.map(({ id }) => id));
  return insertions.map(({ job }) => inserted.has(job.id));
}

/** False when the id (or the key) is taken: the caller then reads what is there. */
export async function insertJob(db: Queryable, insertion: Insertion): Promise<boolean> {
  try {
    return (await db.query(INSERT_JOBS, valuesOf([insertion]))).length === 1;
  } catch (error) {
    // Whatever is wrong with the log, nothing may be accepted until it is there again.
    throw isAuditFailure(error) ? new StoreUnavailableError('not audited, so not accepted', { cause: error }) : error;
  }
}

function valuesOf(insertions: Insertion[]): [audits: string, given: string] {
  const audits = insertions.flatMap(({ audit }) => audit ?? []);
  return [JSON.stringify(audits), JSON.stringify(insertions.map(({ job, key }) => ({ ...job, ...key })))];
}
