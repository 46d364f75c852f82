// Accepts many jobs in one statement, each by the rules of insertJob (jobs.ts): with its key, or not at all.
import type { NewJob, NewKey } from './jobs.ts';
import type { Database } from './pool.ts';

export interface Insertion {
  job: NewJob;
  key: NewKey | null;
}

/** In the order of their keys: whoever else writes some of the same waits, and nobody waits in a circle. */
const INSERT_MANY = `with given as (
    select * from jsonb_to_recordset($1::jsonb) as given (id text, tenant text, status text, spec jsonb, host text,
      "runAt" timestamptz, "deadlineAt" timestamptz, "scheduleId" text, "batchId" text, "redriveOf" text, carrier text,
      "outboundKey" text, "traceParent" text, "createdAt" timestamptz, "checkAt" timestamptz,
      scope text, key text, fingerprint text, answer text)),
  new_key as (
    insert into idempotency_keys (tenant, scope, key, fingerprint, resource_id, answer, created_at)
    select tenant, scope, key, fingerprint, id, answer, "createdAt" from given where key is not null
    order by tenant, scope, key on conflict do nothing returning resource_id)
  insert into jobs (id, tenant, name, status, spec, host, labels, run_at, deadline_at, schedule_id, batch_id, redrive_of,
    carrier, outbound_key, trace_parent, created_at, updated_at, check_at)
  select id, tenant, spec ->> 'name', status, spec, host, spec -> 'labels', "runAt", "deadlineAt", "scheduleId", "batchId",
    "redriveOf", carrier, "outboundKey", "traceParent", "createdAt", "createdAt", "checkAt"
  from given where key is null or id in (select resource_id from new_key)
  order by id on conflict (id) do nothing returning id`;

/** For each whether it was inserted; where not, its id or its key was taken. */
export async function insertJobs(db: Database, insertions: Insertion[]): Promise<boolean[]> {
  const given = JSON.stringify(insertions.map(({ job, key }) => ({ ...job, ...key })));
  const rows = await db.bulk.query<{ id: string }>(INSERT_MANY, [given]);
  const inserted = new Set(rows.map(({ id }) => id));
  return insertions.map(({ job }) => inserted.has(job.id));
}
