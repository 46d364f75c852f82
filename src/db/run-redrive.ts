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

/** The same for the same run in the same place, so that each statement finds what the others wrote. */
const copyOf = (id: string) => `'run_' || md5($2::text || '/' || ${id})`;

/** Runs that were steps or items, and the runs below them: as they ended, so that they are read and not run again. */
const CHILDREN = `with recursive tree as (
    select id, $2::text as parent from runs
    where parent_run_id = $1 and finished_at is not null and (parent_step_id = any($3)
      or (parent_step_id = any($4) and parent_item is not null and status = 'succeeded'))
    union all
    select child.id, ${copyOf('tree.id')} from runs child join tree on child.parent_run_id = tree.id
    where child.finished_at is not null)`;

const COPY_CHILDREN = [
  `${CHILDREN}
   insert into runs (id, tenant, workflow, version, definition, plan, status, input, output, error, notify, labels, priority,
     run_at, deadline_at, parent_run_id, parent_step_id, parent_item, depth, redrive_of, key_base, step_keys, trace_parent,
     seen_in_temporal, created_at, updated_at, started_at, finished_at)
   select ${copyOf('id')}, tenant, workflow, version, definition, plan, status, input, output, error, notify, labels, priority,
     run_at, deadline_at, tree.parent, parent_step_id, parent_item, depth, id, key_base, step_keys, trace_parent,
     true, created_at, updated_at, started_at, finished_at
   from tree join runs using (id)`,
  `${CHILDREN}
   insert into run_steps (run_id, step_id, status, output, error, items_total, started_at, finished_at)
   select ${copyOf('run_id')}, step_id, status, output, error, items_total, started_at, finished_at
   from run_steps where run_id in (select id from tree)`,
  `${CHILDREN}
   insert into jobs (id, tenant, name, status, spec, host, labels, run_at, deadline_at, attempts, result, error, run_id,
     step_id, item_index, redrive_of, outbound_key, trace_parent, created_at, updated_at, started_at, finished_at)
   select ${copyOf('run_id')} || substr(id, length(run_id) + 1), tenant, name, status, spec, host, labels, run_at,
     deadline_at, attempts, result, error, ${copyOf('run_id')}, step_id, item_index, id, outbound_key, trace_parent,
     created_at, updated_at, started_at, finished_at
   from jobs where run_id in (select id from tree) and finished_at is not null`,
];

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
  for (const copy of COPY_CHILDREN) await tx.query(copy, [from, to, kept, partly]);
}

export async function lockRun(tx: Queryable, tenant: string, id: string): Promise<boolean> {
  const rows = await tx.query('select 1 from runs where id = $1 and tenant = $2 for update', [id, tenant]);
  return rows.length === 1;
}
