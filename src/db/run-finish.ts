// Ends a run: state, open calls and steps, dead letter and notifications in one statement, and only once.
import { uuidv7 } from 'uuidv7';

import type { StoredError } from '../contract/problem.ts';
import type { FinalRunStatus } from '../contract/run.ts';
import type { Queryable } from './pool.ts';
import type { Settled } from './settle.ts';

export interface RunDeadLetter {
  reason: string;
  stepId: string | null;
  attempts: number;
  fingerprint: string;
  target: string;
  host: string;
  /** Of the step that failed; the run's own where there is none. */
  error: StoredError;
}

export interface RunVerdict {
  status: FinalRunStatus;
  output: unknown;
  error: StoredError | null;
  deadLetter: RunDeadLetter | null;
  checkAt: Date | null;
}

export interface RunSettled extends Omit<Settled, 'host'> {
  /** Calls that were under way or waiting for a retry; workers may still be making them. */
  cut: string[];
  /** How many steps ended how; what was under way is canceled with its run. */
  steps: { status: string; count: number }[];
}

/** Locked in the order of their ids, as everywhere: others end some of them meanwhile. */
const CUT = `open_calls as (
    select id from jobs where run_id = $1 and finished_at is null and exists (select 1 from run)
    order by id for no key update),
  calls as (
    update jobs set status = 'canceled', error = $2::jsonb, attempt_id = null, next_attempt_at = null, updated_at = now(),
      finished_at = now(), check_at = null
    from open_calls where jobs.id = open_calls.id and finished_at is null returning jobs.id),
  cut_attempts as (
    update attempts set outcome = 'unknown', error = $2::jsonb, finished_at = now()
    where outcome = 'open' and job_id in (select id from calls))`;

/** As the rows were before this statement. */
const STEPS = `(select coalesce(jsonb_agg(jsonb_build_object('status', status, 'count', count)), '[]') from (
    select case when status in ('failed', 'expired', 'unknown') then 'failed'
        when status in ('succeeded', 'skipped', 'compensated') then status else 'canceled' end as status, count(*) as count
    from (
      select status from run_steps where run_id = $1
      union all
      select status from jobs where run_id = $1 and item_index is null and id = run_id || '/' || step_id
        and not exists (select 1 from run_steps step where step.run_id = $1 and step.step_id = jobs.step_id)
      union all
      select status from runs where parent_run_id = $1 and parent_item is null
        and not exists (select 1 from run_steps step where step.run_id = $1 and step.step_id = runs.parent_step_id)) step
    group by 1) ended)`;

const FINISH_RUN = `with run as (
    update runs set status = $3, output = $4::jsonb, error = $5::jsonb, updated_at = now(), finished_at = now(),
      nudged_at = null, check_at = $6::timestamptz
    where id = $1 and ($7::text is null or tenant = $7) and finished_at is null returning *),
  ${CUT},
  steps as (
    update run_steps set status = 'canceled', error = $2::jsonb, finished_at = now()
    where run_id = $1 and status in ('running', 'waiting') and exists (select 1 from run)),
  dead as (
    insert into dead_letters (id, tenant, kind, run_id, step_id, name, reason, error, attempts, fingerprint, target, host,
      created_at)
    select $8, tenant, 'run', id, $9, workflow, $10, $11::jsonb, $12::integer, $13, $14, $15, now() from run
    where $8::text is not null and parent_run_id is null
    on conflict (run_id) do nothing),
  outbox as (
    insert into notifications (id, tenant, subject_id, event, rule, due_at, created_at)
    select 'msg_' || replace(gen_random_uuid()::text, '-', ''), tenant, id, 'run.' || $3, rule, now(), now()
    from run, jsonb_array_elements(notify) rule where rule -> 'on' ? $3)
  select tenant, schedule_id as "scheduleId", has_dependents as "hasDependents", jsonb_array_length(notify) > 0 as "notified",
    extract(epoch from now() - coalesce(run_at, created_at))::float8 * 1000 as "ageMs",
    (select coalesce(array_agg(id), '{}') from calls) as cut, ${STEPS} as steps
  from run`;

const CUT_SHORT: StoredError = {
  code: 'canceled',
  title: 'The run ended before this step',
  status: null,
  detail: null,
};

/** Null when the run was final, or is not of this tenant (null: any). */
export async function finishRun(
  db: Queryable,
  { id, tenant }: { id: string; tenant: string | null },
  { status, output, error, deadLetter, checkAt }: RunVerdict,
): Promise<RunSettled | null> {
  const rows = await db.query<RunSettled>(FINISH_RUN, [
    id,
    JSON.stringify(CUT_SHORT),
    status,
    json(output),
    json(error),
    checkAt,
    tenant,
    deadLetter ? `dl_${uuidv7().replaceAll('-', '')}` : null,
    deadLetter?.stepId ?? null,
    deadLetter?.reason ?? null,
    json(deadLetter?.error ?? null),
    deadLetter?.attempts ?? 0,
    deadLetter?.fingerprint ?? null,
    deadLetter?.target ?? null,
    deadLetter?.host ?? null,
  ]);
  return rows[0] ?? null;
}

/** Calls that began in the moment their run ended. */
export async function cutCallsOf(db: Queryable, runId: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `with run as (select 1 from runs where id = $1 and finished_at is not null), ${CUT} select id from calls`,
    [runId, JSON.stringify(CUT_SHORT)],
  );
  return rows.map((row) => row.id);
}

function json(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
