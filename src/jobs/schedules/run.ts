// The run of a schedule: a job like any other, written in the transaction that decides its tick.
import type { JobSpec } from '../../contract/job.ts';
import { insertDependencies, lockParents } from '../../db/dependencies.ts';
import { insertJob, type NewJob } from '../../db/jobs.ts';
import type { Queryable } from '../../db/pool.ts';
import type { ScheduleRow } from '../../db/schedules.ts';
import { newJob } from '../accept.ts';

export interface RunRequest {
  id: string;
  now: Date;
  /** The run that must end first; the new one is then blocked, and released like any dependant. */
  after: string | null;
}

/** Null when there is a job of this id. */
export async function insertRun(
  tx: Queryable,
  { tenant, id: scheduleId, spec }: ScheduleRow,
  { id, now, after }: RunRequest,
): Promise<NewJob | null> {
  if (!spec.job) throw new Error(`schedule ${scheduleId} has no job to run`);
  const { jobSpec, pending } = await waitingFor(tx, tenant, spec.job, after);
  const fresh = newJob({ tenant, id, scheduleId, spec: jobSpec, now });
  const job = pending ? { ...fresh, status: 'blocked' as const, checkAt: null } : fresh;
  if (!(await insertJob(tx, job, null))) return null;
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
