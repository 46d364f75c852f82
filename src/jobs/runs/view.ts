// How a run, its steps and items, and a workflow look in answers: every field present, nothing secret.
import { isFinalRun, type RunStatus } from '../../contract/run.ts';
import type { Queryable } from '../../db/pool.ts';
import type { ItemRow, StepRow } from '../../db/run-steps.ts';
import { stepsOfRuns } from '../../db/run-steps.ts';
import type { NewRun, RunRow } from '../../db/runs.ts';
import type { WorkflowRow } from '../../db/workflows.ts';
import type { WorkflowDefinition } from '../../language/definition.ts';
import { hasStepEnded, type StepStatus } from '../../language/progress.ts';
import type { Redaction } from '../secrets/redaction.ts';
import { isMembers } from '../spec/rules.ts';
import { type ProblemView, problemView, redactNotify, temporalLink, type ViewOptions } from '../view.ts';

export interface StepView {
  id: string;
  status: StepStatus;
  attempts: number;
  output: unknown;
  error: ProblemView | null;
  startedAt: string | null;
  finishedAt: string | null;
  items: { total: number; running: number; succeeded: number; failed: number } | null;
  childRunId: string | null;
}

export type RunView = ReturnType<typeof runView>;

export function runView(run: RunRow, steps: readonly StepRow[], options: ViewOptions) {
  const self = `/v1/runs/${encodeURIComponent(run.id)}`;
  const rows = new Map(steps.map((step) => [step.id, step]));
  const { redaction } = options;
  return {
    id: run.id,
    workflow: run.workflow,
    version: run.version,
    status: statusOf(run),
    input: redaction.fields(run.input),
    output: redaction.fields(run.output),
    error: problemView(run.error),
    steps: run.definition.steps.map((step) =>
      stepView(step.id, rows.get(step.id), {
        isRunFinal: isFinalRun(run.status),
        isForEach: step.forEach !== undefined,
        isValue: step.transform !== undefined,
        redaction,
      }),
    ),
    labels: run.labels,
    priority: run.priority,
    runAt: iso(run.runAt),
    deadlineAt: iso(run.deadlineAt),
    parentRunId: run.parentRunId,
    parentStepId: run.parentStepId,
    scheduleId: run.scheduleId,
    redriveOf: run.redriveOf,
    redrivenAs: run.redrivenAs,
    createdAt: run.createdAt.toISOString(),
    updatedAt: run.updatedAt.toISOString(),
    startedAt: iso(run.startedAt),
    finishedAt: iso(run.finishedAt),
    links: {
      self,
      attempts: `${self}/attempts`,
      workflow: run.workflow === null ? null : `/v1/workflows/${run.workflow}/versions/${run.version}`,
      temporal: temporalLink(run.id, options),
    },
  };
}

/** The view of a run as it is at the moment of acceptance. */
export function newRunView(run: NewRun, definition: WorkflowDefinition, options: ViewOptions, steps: StepRow[] = []) {
  const plan = run.plan ?? { steps: [], order: [] };
  return runView({ ...run, ...EMPTY, definition, plan, updatedAt: run.createdAt }, steps, options);
}

const EMPTY = {
  paused: false,
  output: null,
  error: null,
  redrivenAs: null,
  hasDependents: false,
  seenInTemporal: false,
  startedAt: null,
  finishedAt: null,
} as const;

export async function runViews(db: Queryable, runs: RunRow[], options: ViewOptions): Promise<RunView[]> {
  if (runs.length === 0) return [];
  const steps = await stepsOfRuns(
    db,
    runs.map(({ id }) => id),
  );
  return runs.map((run) =>
    runView(
      run,
      steps.filter(({ runId }) => runId === run.id),
      options,
    ),
  );
}

/** Items that are values: they are in the output of their step, and only those that failed have rows too. */
export function valueItems(step: StepRow | undefined, failed: ItemRow[]): ItemRow[] {
  const outputs: unknown[] = Array.isArray(step?.output) ? step.output : [];
  const rows = new Map(failed.map((row) => [row.index, row]));
  const values = outputs.map(
    (output, index): ItemRow => rows.get(index) ?? { index, status: 'succeeded', attempts: 0, output, error: null },
  );
  return values.length > 0 ? values : failed;
}

export function itemView({ index, status, attempts, output, error }: ItemRow, redaction: Redaction) {
  return { index, status, attempts, output: redaction.fields(output), error: problemView(error) };
}

export function workflowView({ name, version, description, definition, createdAt }: WorkflowRow, redaction: Redaction) {
  const self = `/v1/workflows/${name}`;
  return {
    name,
    version,
    description,
    definition: redactDefinition(definition, redaction),
    createdAt: createdAt.toISOString(),
    links: { self, version: `${self}/versions/${version}`, graph: `${self}/graph`, runs: `/v1/runs?workflow=${name}` },
  };
}

function stepView(
  id: string,
  row: StepRow | undefined,
  {
    isRunFinal,
    isForEach,
    isValue,
    redaction,
  }: { isRunFinal: boolean; isForEach: boolean; isValue: boolean; redaction: Redaction },
): StepView {
  const total = row?.itemsTotal ?? 0;
  const { itemsRunning: running = 0, itemsSucceeded = 0, itemsFailed: failed = 0 } = row ?? {};
  // Items that are values come about together.
  const succeeded = isValue && row?.status === 'succeeded' ? total - failed : itemsSucceeded;
  return {
    id,
    status: isRunFinal ? endedStatus(row) : (row?.status ?? 'pending'),
    attempts: row?.attempts ?? 0,
    output: redaction.fields(row?.output ?? null),
    error: problemView(row?.error ?? null),
    startedAt: iso(row?.startedAt ?? null),
    finishedAt: iso(row?.finishedAt ?? null),
    items: isForEach ? { total, running, succeeded, failed } : null,
    childRunId: row?.childRunId ?? null,
  };
}

/** What had not ended before its run did never will. */
export function endedStatus(row: StepRow | undefined): StepStatus {
  return row !== undefined && hasStepEnded(row) ? row.status : 'canceled';
}

function statusOf({ status, paused }: Pick<RunRow, 'status' | 'paused'>): RunStatus {
  return paused && !isFinalRun(status) ? 'paused' : status;
}

function redactDefinition(definition: WorkflowDefinition, redaction: Redaction): unknown {
  return {
    ...definition,
    steps: definition.steps.map((step) => ({
      ...step,
      ...(step.http ? { http: redactCall(step.http, redaction) } : {}),
      ...(step.compensate
        ? { compensate: { ...step.compensate, http: redactCall(step.compensate.http, redaction) } }
        : {}),
    })),
    ...(definition.notify
      ? {
          notify: definition.notify.map(redactNotify),
        }
      : {}),
  };
}

function redactCall(http: Readonly<Record<string, unknown>>, redaction: Redaction) {
  return {
    ...http,
    ...(typeof http['url'] === 'string' ? { url: redaction.url(http['url']) } : {}),
    ...(isMembers(http['query']) ? { query: redaction.fields(http['query']) } : {}),
    ...(isMembers(http['headers']) ? { headers: redaction.headers(http['headers']) } : {}),
    ...('body' in http ? { body: redaction.fields(http['body']) } : {}),
  };
}

function iso(time: Date | null): string | null {
  return time ? time.toISOString() : null;
}
