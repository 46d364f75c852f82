// What a redriven run takes over from the run before it.
import type { Queryable } from './pool.ts';

export interface Takeover {
  from: string;
  to: string;
  /** Steps that keep their state and output. */
  kept: string[];
  /** Steps done again that keep the items which succeeded. */
  partly: string[];
}

/** Calls keep what the target saw as their key; their attempts stay where they were made. */
export async function takeOver(tx: Queryable, { from, to, kept, partly }: Takeover): Promise<void> {
  await tx.query(
    `insert into run_steps (run_id, step_id, status, output, error, items_total, started_at, finished_at)
     select $2, step_id, status, output, error, items_total, started_at, finished_at
     from run_steps where run_id = $1 and step_id = any($3)`,
    [from, to, kept],
  );
  await tx.query(
    `insert into jobs (id, tenant, name, status, spec, host, labels, run_at, deadline_at, attempts, result, error, run_id,
       step_id, item_index, redrive_of, outbound_key, trace_parent, created_at, updated_at, started_at, finished_at)
     select $2 || substr(id, length($1) + 1), tenant, name, status, spec, host, labels, run_at, deadline_at, attempts, result,
       error, $2, step_id, item_index, id, outbound_key, trace_parent, created_at, updated_at, started_at, finished_at
     from jobs where run_id = $1 and finished_at is not null and id <> run_id || '/' || step_id || '/compensate'
       and (step_id = any($3) or (step_id = any($4) and item_index is not null and status = 'succeeded'))`,
    [from, to, kept, partly],
  );
}

export async function lockRun(tx: Queryable, tenant: string, id: string): Promise<boolean> {
  const rows = await tx.query('select 1 from runs where id = $1 and tenant = $2 for update', [id, tenant]);
  return rows.length === 1;
}

/** True where the step had begun its items and did not succeed with all of them. */
export async function endedShort(db: Queryable, runId: string, stepId: string): Promise<boolean> {
  const rows = await db.query(
    `select 1 from run_steps where run_id = $1 and step_id = $2 and status not in ('succeeded', 'compensated')`,
    [runId, stepId],
  );
  return rows.length === 1;
}
