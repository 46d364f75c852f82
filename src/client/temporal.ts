// What `perdure/temporal` offers: starts a job through a Temporal client of your own, or as a child of your own workflow.
//
// Bundled into workflow sandboxes: no Node built-ins, no clock, no randomness.
import type { JobStatus } from '../contract/job.ts';
import { DEFAULT_TASK_QUEUE, HTTP_JOB, RUN_NOW_SIGNAL, SEARCH_ATTRIBUTES } from '../contract/temporal.ts';
import type { JobInput } from './types.ts';

export { DEFAULT_TASK_QUEUE, HTTP_JOB, RUN_NOW_SIGNAL, SEARCH_ATTRIBUTES };
export type { JobInput, JobStatus };

/** The one argument of the workflow: the job as `POST /v1/jobs` takes it. */
export interface HttpJobInput {
  spec: JobInput;
  /** `default` when left out. */
  tenant?: string;
}

/**
 * The type of the workflow, for `client.workflow.start<HttpJob>(…)`. A job that does not succeed fails the workflow
 * with an `ApplicationFailure` whose `type` is the reason of the dead letter.
 */
export type HttpJob = (input: HttpJobInput) => Promise<{ status: Extract<JobStatus, 'succeeded' | 'canceled'> }>;

export interface JobWorkflowOptions {
  /**
   * Also the job's id and the `Idempotency-Key` that its calls carry: 1 to 255 letters, digits and `._:-`, the same
   * whenever you start the same job.
   */
  workflowId: string;
  /** `PERDURE_TASK_QUEUE` of the service; `perdure` when left out. */
  taskQueue?: string;
  tenant?: string;
}

/** What every start of a job needs to say. */
export interface JobStart {
  workflowId: string;
  taskQueue: string;
  args: [HttpJobInput];
  workflowIdReusePolicy: 'REJECT_DUPLICATE';
}

/**
 * The arguments of `client.workflow.start`, `execute`, and of `startChild`, `executeChild` in a workflow:
 * `client.workflow.start<HttpJob>(...jobWorkflow(job, { workflowId: 'charge-42' }))`. Other options of Temporal's
 * (`parentClosePolicy`, `memo`, …) are passed on.
 */
export function jobWorkflow<const More extends object = object>(
  job: JobInput,
  { workflowId, taskQueue = DEFAULT_TASK_QUEUE, tenant, ...more }: JobWorkflowOptions & More,
): [workflowType: typeof HTTP_JOB, options: JobStart & Omit<More, keyof JobWorkflowOptions>] {
  const input: HttpJobInput = { spec: job, ...(tenant !== undefined && { tenant }) };
  // One id, one job: while Temporal remembers the id it refuses to start it again, after that its row says how it ended.
  const start: JobStart = { workflowId, taskQueue, args: [input], workflowIdReusePolicy: 'REJECT_DUPLICATE' };
  return [HTTP_JOB, { ...more, ...start }];
}
