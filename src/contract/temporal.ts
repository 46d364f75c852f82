// What the API, the workers and other services must agree on when they speak to Temporal.
import type { ScheduleName } from './schedule.ts';

/** Unless `PERDURE_TASK_QUEUE` says otherwise. */
export const DEFAULT_TASK_QUEUE = 'perdure';
export const HTTP_JOB = 'httpJob';
export const BULK_REDRIVE = 'bulkRedrive';
export const RUN_BATCH = 'runBatch';
export const RUN_CARRIER = 'runCarrier';

export const RUN_NOW_SIGNAL = 'runNow';
/** To the run of a schedule that waits for the one before it. */
export const RELEASED_SIGNAL = 'released';
export const ABORT_SIGNAL = 'abort';

/** Keyword search attributes, registered by the worker at start. */
export const SEARCH_ATTRIBUTES = { name: 'PerdureName', host: 'PerdureHost', tenant: 'PerdureTenant' } as const;

/** What the workflow of an accepted job must know; everything else stays in PostgreSQL under the workflow's id. */
export interface JobPlan {
  runAtMs: number | null;
  deadlineAtMs: number | null;
  timeoutMs: number;
  /** `local`: inside the first workflow task, for short calls that may be repeated. */
  firstAttempt: 'local' | 'regular';
}

/**
 * Either the plan of a row that exists, or a job spec as POST /v1/jobs takes it: the workflow then registers itself.
 * Or the schedule that fired it: its nominal time is in the workflow's id.
 */
export type JobInput = { plan: JobPlan } | { spec: unknown; tenant?: string } | { schedule: ScheduleName };

export type AdoptedTick =
  | { kind: 'plan'; plan: JobPlan }
  /** It waits for an earlier run to end. */
  | { kind: 'wait' }
  /** Its row says why; there is nothing to run here. */
  | { kind: 'none'; outcome: string };

export type AttemptResult =
  | { kind: 'final'; status: string; reason: string | null; detail: string | null }
  | { kind: 'retry'; atMs: number }
  /** The call was made and only our bookkeeping failed: `record` is written later, the call is not repeated. */
  | { kind: 'unrecorded'; record: unknown }
  /** Nothing was sent: the store was away. */
  | { kind: 'unopened' };

export interface AttemptInput {
  jobId: string;
  plan: JobPlan;
}

export interface BatchInput {
  batchId: string;
  tenant: string;
  /** How many calls each lane may have under way; the items of a lane are those carried by `carrierOf` it. */
  lanes: number[];
}

export interface CarrierInput {
  /** How many calls it may have under way. */
  concurrency: number;
  /** New riders may come until then, counted from the start of its lane … */
  openForMs: number;
  /** … unless nobody has come for so long. */
  quietMs: number;
}

export interface LaneInput {
  carrier: string;
  concurrency: number;
  /** Whose end is looked at when the lane is empty. */
  batchId: string | null;
  /** Without: when the lane is empty it is over. */
  open?: Partial<Pick<CarrierInput, 'openForMs' | 'quietMs'>>;
}

export function carrierOf(workflowId: string, lane: number): string {
  return `${workflowId}/${lane}`;
}

/** The workflow that a job's `carrier` names. */
export function carrierWorkflow(carrier: string): string {
  return carrier.slice(0, carrier.lastIndexOf('/'));
}
