// What became of the steps of runs. A step with one call is its job row; run_steps says what job rows cannot.
import type { StoredError } from '../contract/problem.ts';
import type { StepRecord } from '../contract/run.ts';
import type { StepStatus } from '../language/progress.ts';
import type { Queryable } from './pool.ts';

export interface StepRow {
  runId: string;
  id: string;
  status: StepStatus;
  attempts: number;
  output: unknown;
  error: StoredError | null;
  startedAt: Date | null;
  finishedAt: Date | null;
  itemsTotal: number | null;
  itemsRunning: number;
  itemsSucceeded: number;
  itemsFailed: number;
  /** The run that is this step. */
  childRunId: string | null;
}

const STATUS_OF_CALL = `case when call.status in ('failed', 'expired', 'unknown') then 'failed'
  when call.status in ('queued', 'scheduled') then 'running' else call.status end`;

/** `body` is null, not absent, where the target sent nothing. */
const OUTPUT_OF_CALL = `coalesce(call.result -> 'body', call.result -> 'bodyText', call.result -> 'bodyBase64')`;

const STEPS = `with work as (
    select run_id, step_id, item_index, status, attempts, null as child from jobs
    where run_id = any($1) and id <> run_id || '/' || step_id || '/compensate'
    union all
    select parent_run_id, parent_step_id, parent_item, status, 0, id from runs where parent_run_id = any($1)),
  counted as (
    select run_id, step_id, sum(attempts)::int as attempts, max(child) filter (where item_index is null) as child,
      count(*) filter (where item_index is not null
        and status not in ('succeeded', 'failed', 'expired', 'unknown', 'canceled'))::int as running,
      count(*) filter (where item_index is not null and status = 'succeeded')::int as succeeded,
      count(*) filter (where item_index is not null and status in ('failed', 'expired', 'unknown', 'canceled'))::int as failed
    from work group by run_id, step_id),
  steps as (
    select known.run_id, known.step_id, coalesce(step.status, ${STATUS_OF_CALL},
        case when running > 0 or child is not null then 'running' else 'pending' end) as status,
      coalesce(counted.attempts, 0) as attempts, step.output as own_output, coalesce(step.error, call.error) as error, call.result,
      coalesce(step.started_at, call.started_at) as started_at, coalesce(step.finished_at, call.finished_at) as finished_at,
      items_total, running, succeeded, failed, child
    from (select run_id, step_id from counted union select run_id, step_id from run_steps where run_id = any($1)) known
      left join counted using (run_id, step_id)
      left join run_steps step on step.run_id = known.run_id and step.step_id = known.step_id
      left join jobs call on call.id = known.run_id || '/' || known.step_id)
  select run_id as "runId", step_id as id, status, attempts, error, started_at as "startedAt", finished_at as "finishedAt",
    case when status in ('succeeded', 'compensated') then coalesce(own_output, ${OUTPUT_OF_CALL}) end as output,
    items_total as "itemsTotal", coalesce(running, 0) as "itemsRunning", coalesce(succeeded, 0) as "itemsSucceeded",
    coalesce(failed, 0) as "itemsFailed", child as "childRunId"
  from steps call`;

export async function stepsOfRuns(db: Queryable, runIds: string[]): Promise<StepRow[]> {
  return db.query<StepRow>(STEPS, [runIds]);
}

/**
 * Rows of steps and the state of the run in one statement; what is final already stays as it is. The times are this
 * clock's, like those of the calls: of the workflow's clock only the time between two changes that come together counts.
 * A run waits from when one of its steps is seen to wait: that step's row may come a statement later.
 */
export async function recordSteps(
  db: Queryable,
  runId: string,
  records: StepRecord[],
  status: 'running' | 'waiting' | null,
): Promise<void> {
  await db.query(
    `with run as (
       update runs set updated_at = now(), status = case when $3 <> 'waiting'
         or exists (select 1 from run_steps where run_id = $1 and status = 'waiting')
         or exists (select 1 from jsonb_array_elements($2::jsonb) change where change ->> 'status' = 'waiting')
         then coalesce($3, status) else status end
       where id = $1 and finished_at is null returning id)
     insert into run_steps (run_id, step_id, status, output, error, items_total, started_at, finished_at)
     select run.id, change.id, change.status, output, error, "itemsTotal",
       case when "startedAt" is not null then now() - greatest("finishedAt" - "startedAt", interval '0') end,
       case when "finishedAt" is not null then now() end
     from run, jsonb_to_recordset($2::jsonb) as change (id text, status text, output jsonb, error jsonb,
       "itemsTotal" integer, "startedAt" timestamptz, "finishedAt" timestamptz)
     on conflict (run_id, step_id) do update set status = excluded.status,
       output = coalesce(excluded.output, run_steps.output), error = excluded.error,
       items_total = coalesce(excluded.items_total, run_steps.items_total),
       started_at = coalesce(run_steps.started_at, excluded.started_at),
       finished_at = coalesce(run_steps.finished_at, excluded.finished_at)
     where run_steps.status in ('running', 'waiting', 'succeeded')`,
    [runId, JSON.stringify(records), status],
  );
}

/** JSON text, or null where the step has no output. */
export async function outputText(db: Queryable, runId: string, stepId: string): Promise<string | null> {
  const rows = await db.query<{ output: string | null }>(
    `select coalesce((select output from run_steps where run_id = $1 and step_id = $2),
       (select ${OUTPUT_OF_CALL} from jobs call where id = $1 || '/' || $2))::text as output`,
    [runId, stepId],
  );
  return rows[0]?.output ?? null;
}

export interface ItemRow {
  index: number;
  status: StepStatus;
  attempts: number;
  output: unknown;
  error: StoredError | null;
}

const ITEMS = `select item_index as index, ${STATUS_OF_CALL} as status, attempts, error,
    case when call.status = 'succeeded' and not (call.result ->> 'truncated')::boolean then ${OUTPUT_OF_CALL} end as output
  from jobs call where run_id = $1 and step_id = $2 and item_index is not null
  union all
  select parent_item, case status when 'expired' then 'failed' when 'scheduled' then 'running' when 'queued' then 'running'
    else status end, 1, error, output
  from runs where parent_run_id = $1 and parent_step_id = $2 and parent_item is not null`;

export async function itemsOf(
  db: Queryable,
  { runId, stepId, after, limit }: { runId: string; stepId: string; after: number; limit: number },
): Promise<ItemRow[]> {
  return db.query<ItemRow>(`select * from (${ITEMS}) item where index > $3 order by index limit $4`, [
    runId,
    stepId,
    after,
    limit,
  ]);
}

/** Values come in pieces; one that comes again finds that the list is longer already. */
export async function appendValues(
  db: Queryable,
  { runId, stepId, from, outputs }: { runId: string; stepId: string; from: number; outputs: unknown[] },
): Promise<void> {
  await db.query(
    `update run_steps set output = coalesce(output, '[]') || $3::jsonb
     where run_id = $1 and step_id = $2 and jsonb_array_length(coalesce(output, '[]')) = $4`,
    [runId, stepId, JSON.stringify(outputs), from],
  );
}

/** Writes the outputs of all items, in order, as the step's output, unless together they are longer than `maxBytes`. */
export async function assembleItems(
  db: Queryable,
  { runId, stepId, total, maxBytes }: { runId: string; stepId: string; total: number; maxBytes: number },
): Promise<{ bytes: number }> {
  const rows = await db.query<{ bytes: number }>(
    `with list as (
       select coalesce(jsonb_agg(coalesce(item.output, 'null') order by number), '[]') as output
       from generate_series(0, $3::integer - 1) number left join (${ITEMS}) item on item.index = number),
     sized as (select output, octet_length(output::text) as bytes from list),
     written as (
       update run_steps set output = sized.output from sized
       where run_id = $1 and step_id = $2 and bytes <= $4)
     select bytes from sized`,
    [runId, stepId, total, maxBytes],
  );
  return { bytes: rows[0]?.bytes ?? 0 };
}
