// What a schedule runs: a job or a run like any other, written in the transaction that decides its tick.
import type { JobSpec } from '../../contract/job.ts';
import type { FieldFault } from '../../contract/problem.ts';
import { insertDependencies, lockParents } from '../../db/dependencies.ts';
import { insertJob } from '../../db/insert-many.ts';
import type { NewJob } from '../../db/jobs.ts';
import type { Queryable } from '../../db/pool.ts';
import { insertRun, type NewRun } from '../../db/runs.ts';
import type { ScheduleRow } from '../../db/schedules.ts';
import type { WorkflowDefinition } from '../../language/definition.ts';
import { newJob } from '../accept.ts';
import { newRun } from '../runs/accept.ts';
import { findAction } from './workflow-action.ts';

export interface RunRequest {
  id: string;
  now: Date;
  /** The job that must end first; the new one is then blocked, and released like any dependant. */
  after: string | null;
}

export type Made =
  | { kind: 'job'; job: NewJob }
  | { kind: 'run'; run: NewRun; definition: WorkflowDefinition }
  /** There is one of this id. */
  | { kind: 'taken' }
  /** The workflow is gone, or no longer takes this input. */
  | { kind: 'refused'; fault: FieldFault };

export async function makeRun(tx: Queryable, schedule: ScheduleRow, request: RunRequest): Promise<Made> {
  const { tenant, id: scheduleId, spec } = schedule;
  if (!spec.workflow) {
    const job = await insertScheduledJob(tx, schedule, request);
    return job ? { kind: 'job', job } : { kind: 'taken' };
  }
  const found = await findAction(tx, tenant, spec.workflow);
  if (!found.ok) return { kind: 'refused', fault: found.fault };
  const { name: workflow, version, definition, plan } = found.workflow;
  const run = newRun({
    ...{ tenant, id: request.id, scheduleId, now: request.now, input: spec.workflow.input },
    ...{ workflow, version, definition, plan, keepDefinition: false },
  });
  return (await insertRun(tx, run)) ? { kind: 'run', run, definition } : { kind: 'taken' };
}

async function insertScheduledJob(
  tx: Queryable,
  { tenant, id: scheduleId, spec }: ScheduleRow,
  { id, now, after }: RunRequest,
): Promise<NewJob | null> {
  if (!spec.job) throw new Error(`schedule ${scheduleId} has nothing to run`);
  const { jobSpec, pending } = await waitingFor(tx, tenant, spec.job, after);
  const fresh = newJob({ tenant, id, scheduleId, spec: jobSpec, now });
  const job = pending ? { ...fresh, status: 'blocked' as const, checkAt: null } : fresh;
  if (!(await insertJob(tx, { job, key: null }))) return null;
  if (pending) await insertDependencies(tx, id, jobSpec.dependsOn);
  return job;
}

/** A parent that has been removed counts as failed, which the follow-up decides like any other failure. */
async function waitingFor(
  tx: Queryable,
  tenant: string,
  spec: JobSpec,
  after: string | null,
): Promise<{ jobSpec: JobSpec; pending: boolean }> {
  const dependsOn = [...spec.dependsOn, ...(after === null ? [] : [after])];
  if (dependsOn.length === 0) return { jobSpec: spec, pending: false };
  const parents = await lockParents(tx, tenant, dependsOn);
  const succeeded = new Set(parents.filter(({ status }) => status === 'succeeded').map(({ id }) => id));
  const pending = dependsOn.some((id) => !succeeded.has(id));
  // A run waits for the end of the one before it, whatever that end is.
  const whatever = after !== null && spec.dependsOn.every((id) => succeeded.has(id));
  const onDependencyFailure = whatever ? 'run' : spec.onDependencyFailure;
  return { jobSpec: { ...spec, dependsOn, onDependencyFailure }, pending };
}
