// Items of a `forEach` that failed before anything was sent: final rows without an attempt, so that they are counted
// and listed like the others.
import { type FailedItem, jobIdOf } from '../contract/run.ts';
import type { Queryable } from './pool.ts';

/** A call that waits for its next attempt ends too: what it is now may not be sent. */
const WRITE = `insert into jobs (id, tenant, status, spec, host, labels, outbound_key, trace_parent, run_id, step_id, item_index,
    error, created_at, updated_at, finished_at)
  select item.id, tenant, 'failed', '{}', '', '{}', item.id, trace_parent, run.id, $2, index, item.error, now(), now(), now()
  from runs run, jsonb_to_recordset($3::jsonb) as item (id text, index integer, error jsonb)
  where run.id = $1 and run.finished_at is null
  order by item.id
  on conflict (id) do update set status = 'failed', error = excluded.error, next_attempt_at = null, updated_at = now(),
    finished_at = now()
  where jobs.finished_at is null and jobs.attempt_id is null`;

export async function writeFailedItems(
  db: Queryable,
  { runId, stepId, items }: { runId: string; stepId: string; items: readonly FailedItem[] },
): Promise<void> {
  if (items.length === 0) return;
  const rows = items.map((item) => ({ ...item, id: jobIdOf(runId, stepId, item.index) }));
  await db.query(WRITE, [runId, stepId, JSON.stringify(rows)]);
}
