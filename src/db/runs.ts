// The runs table: accepted runs, what is read of them, and the changes that do not end one (run-finish.ts does).
import type { NotifyRule } from '../contract/job.ts';
import type { StoredError } from '../contract/problem.ts';
import type { FinalRunStatus, RunStatus } from '../contract/run.ts';
import type { WorkflowDefinition } from '../language/definition.ts';
import type { Plan } from '../language/plan.ts';
import type { NewKey } from './jobs.ts';
import type { Queryable } from './pool.ts';

export interface NewRun {
  id: string;
  tenant: string;
  workflow: string | null;
  version: number | null;
  /** Null where it is the stored version's. */
  definition: WorkflowDefinition | null;
  plan: Plan | null;
  status: 'scheduled' | 'queued';
  input: unknown;
  notify: NotifyRule[];
  labels: Record<string, string>;
  priority: number;
  runAt: Date | null;
  deadlineAt: Date | null;
  parentRunId: string | null;
  parentStepId: string | null;
  parentItem: number | null;
  depth: number;
  scheduleId: string | null;
  redriveOf: string | null;
  keyBase: string;
  stepKeys: Record<string, string>;
  traceParent: string | null;
  createdAt: Date;
  checkAt: Date | null;
}

export interface RunRow {
  id: string;
  tenant: string;
  workflow: string | null;
  version: number | null;
  status: Exclude<RunStatus, 'paused'>;
  paused: boolean;
  input: unknown;
  output: unknown;
  error: StoredError | null;
  definition: WorkflowDefinition;
  plan: Plan;
  notify: NotifyRule[];
  labels: Record<string, string>;
  priority: number;
  runAt: Date | null;
  deadlineAt: Date | null;
  parentRunId: string | null;
  parentStepId: string | null;
  depth: number;
  scheduleId: string | null;
  redriveOf: string | null;
  redrivenAs: string | null;
  keyBase: string;
  stepKeys: Record<string, string>;
  traceParent: string | null;
  hasDependents: boolean;
  seenInTemporal: boolean;
  createdAt: Date;
  updatedAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

const OWN_COLUMNS = `runs.id, runs.tenant, runs.workflow, runs.version, runs.status, runs.paused, runs.input, runs.output,
  runs.error, runs.notify, runs.labels, runs.priority, runs.run_at as "runAt", runs.deadline_at as "deadlineAt",
  runs.parent_run_id as "parentRunId", runs.parent_step_id as "parentStepId", runs.depth,
  runs.schedule_id as "scheduleId", runs.redrive_of as "redriveOf", runs.redriven_as as "redrivenAs",
  runs.key_base as "keyBase", runs.step_keys as "stepKeys", runs.trace_parent as "traceParent",
  runs.has_dependents as "hasDependents", runs.seen_in_temporal as "seenInTemporal", runs.created_at as "createdAt",
  runs.updated_at as "updatedAt", runs.started_at as "startedAt", runs.finished_at as "finishedAt"`;

const DEFINITION_OF = (column: 'definition' | 'plan') =>
  `coalesce(runs.${column}, (select w.${column} from workflows w
    where w.tenant = runs.tenant and w.name = runs.workflow and w.version = runs.version)) as ${column}`;

export const RUN_COLUMNS = `${OWN_COLUMNS}, ${DEFINITION_OF('definition')}, ${DEFINITION_OF('plan')}`;

export const RUN_FILTERS = {
  workflow: 'workflow = any(?)',
  status: `(case when paused and finished_at is null then 'paused' else status end) = any(?)`,
  scheduleId: 'schedule_id = any(?)',
  label: "(labels <> '{}' and labels @> any(?::jsonb[]))",
} as const;

const INSERT = `insert into runs (id, tenant, workflow, version, definition, plan, status, input, notify, labels, priority,
    run_at, deadline_at, parent_run_id, parent_step_id, parent_item, depth, schedule_id, redrive_of, key_base, step_keys,
    trace_parent, created_at, updated_at, check_at, paused)
  select $1, $2, $3, $4::integer, $5::jsonb, $6::jsonb, $7, $8::jsonb, $9::jsonb, $10::jsonb, $11::integer,
    $12::timestamptz, $13::timestamptz, $14, $15, $16::integer, $17::integer, $18, $19, $20, $21::jsonb, $22,
    $23::timestamptz, $23::timestamptz, $24::timestamptz,
    exists (select 1 from runs parent where parent.id = $14 and parent.paused and parent.finished_at is null)`;

const INSERT_WITH_KEY = `with new_key as (
    insert into idempotency_keys (tenant, scope, key, fingerprint, resource_id, answer, created_at)
    values ($2, $25, $26, $27, $1, $28, $23::timestamptz) on conflict do nothing returning 1)
  ${INSERT} where exists (select 1 from new_key) returning id`;

/** False when the id, the key or the place under the parent is taken. */
export async function insertRun(db: Queryable, run: NewRun, key: NewKey | null = null): Promise<boolean> {
  const values = [
    ...[run.id, run.tenant, run.workflow, run.version, json(run.definition), json(run.plan), run.status],
    ...[json(run.input), JSON.stringify(run.notify), JSON.stringify(run.labels), run.priority, run.runAt],
    ...[run.deadlineAt, run.parentRunId, run.parentStepId, run.parentItem, run.depth, run.scheduleId, run.redriveOf],
    ...[run.keyBase, JSON.stringify(run.stepKeys), run.traceParent, run.createdAt, run.checkAt],
  ];
  const rows = key
    ? await db.query(INSERT_WITH_KEY, [...values, key.scope, key.key, key.fingerprint, key.answer])
    : await db.query(`${INSERT} on conflict do nothing returning id`, values);
  return rows.length === 1;
}

export async function findRun(db: Queryable, tenant: string, id: string): Promise<RunRow | null> {
  const rows = await db.query<RunRow>(`select ${RUN_COLUMNS} from runs where id = $1 and tenant = $2`, [id, tenant]);
  return rows[0] ?? null;
}

export async function findRunOfAnyTenant(db: Queryable, id: string): Promise<RunRow | null> {
  const rows = await db.query<RunRow>(`select ${RUN_COLUMNS} from runs where id = $1`, [id]);
  return rows[0] ?? null;
}

export async function findChildRun(
  db: Queryable,
  parentRunId: string,
  stepId: string,
  item: number | null,
): Promise<RunRow | null> {
  const rows = await db.query<RunRow>(
    `select ${RUN_COLUMNS} from runs
     where parent_run_id = $1 and parent_step_id = $2 and coalesce(parent_item, -1) = coalesce($3::integer, -1)`,
    [parentRunId, stepId, item],
  );
  return rows[0] ?? null;
}

/** Null when the run is final: its workflow then has nothing to do. */
export async function beginRun(db: Queryable, id: string): Promise<RunRow | null> {
  const rows = await db.query<RunRow>(
    `update runs set status = 'running', started_at = coalesce(started_at, now()), updated_at = now(),
       seen_in_temporal = true, check_at = now() + interval '60 seconds'
     where id = $1 and finished_at is null returning ${RUN_COLUMNS}`,
    [id],
  );
  return rows[0] ?? null;
}

/** Of the run and of the runs that are steps of it. The ids are those whose workflows must hear of it. */
export async function setPaused(db: Queryable, tenant: string, id: string, paused: boolean): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `with recursive tree as (
       select id from runs where id = $1 and tenant = $2
       union select child.id from runs child join tree on child.parent_run_id = tree.id),
     locked as (
       select id from runs where id in (select id from tree) and finished_at is null order by id for no key update)
     update runs set paused = $3, nudged_at = now(), updated_at = now()
     where id in (select id from locked) and finished_at is null returning id`,
    [id, tenant, paused],
  );
  return rows.map((row) => row.id);
}

export interface RunControl {
  final: FinalRunStatus | null;
  paused: boolean;
}

/** What the API has changed since the workflow last looked. */
export async function takeControl(db: Queryable, id: string): Promise<RunControl> {
  const [row] = await db.query<{ status: string; paused: boolean; isFinal: boolean }>(
    `update runs set nudged_at = null where id = $1 returning status, paused, finished_at is not null as "isFinal"`,
    [id],
  );
  return { final: row?.isFinal ? (row.status as FinalRunStatus) : null, paused: row?.paused ?? false };
}

export async function markRunRedriven(tx: Queryable, id: string, redrivenAs: string): Promise<boolean> {
  const rows = await tx.query(
    `with run as (update runs set redriven_as = $2 where id = $1 and redriven_as is null returning id),
       letter as (update dead_letters set redriven_as = $2 where run_id in (select id from run))
     select id from run`,
    [id, redrivenAs],
  );
  return rows.length === 1;
}

function json(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
