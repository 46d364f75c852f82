// A run of a workflow: its statuses, and what its Temporal workflow and the activities tell each other.
import type { StoredError } from './problem.ts';
import type { AttemptResult } from './temporal.ts';

export const RUN_STATUSES = [
  'scheduled',
  'queued',
  'running',
  'waiting',
  'paused',
  'succeeded',
  'failed',
  'canceled',
  'expired',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export const FINAL_RUN_STATUSES = ['succeeded', 'failed', 'canceled', 'expired'] as const;
export type FinalRunStatus = (typeof FINAL_RUN_STATUSES)[number];

export const WORKFLOW_RUN = 'workflowRun';
/** Says that PostgreSQL holds something new for the run: a signal, a pause, its end. */
export const RUN_CHANGED_SIGNAL = 'runChanged';
export const PAUSED_SIGNAL = 'paused';

export const MAX_OUTPUT_BYTES = 64 * 1024;
export const MAX_RUN_OUTPUT_BYTES = 8 * 1024 * 1024;
/** Larger outputs stay in PostgreSQL until an expression asks for them. */
export const INLINE_OUTPUT_BYTES = 4 * 1024;

export interface RunInput {
  runId: string;
  runAtMs: number | null;
  /** From the execution before this one. */
  carried?: CarriedRun;
}

export interface CarriedState {
  id: string;
  status: string;
  errorCode: string | null;
}

export interface CarriedRun {
  states: CarriedState[];
  completed: string[];
  outputBytes: number;
  /** When a wait or a retry of a step is over. */
  timers: Record<string, number>;
  /** It has failed, and is being undone. */
  undoing?: RunEnd;
}

/** What a run is made of; texts too long for one payload are null and read in pieces. */
export interface RunSnapshot {
  workflow: string | null;
  version: number | null;
  definition: string | null;
  input: string | null;
  keyBase: string;
  stepKeys: Record<string, string>;
  priority: number;
  deadlineAtMs: number | null;
  createdAt: string;
  labels: Record<string, string>;
  redriveOf: string | null;
  paused: boolean;
  /** Kept by a redrive, in the order in which they ended. */
  states: CarriedState[];
  outputBytes: number;
}

/** One call: of a step, of an item, or of a compensation. */
export interface StepCall {
  runId: string;
  stepId: string;
  itemIndex: number | null;
  jobId: string;
  outboundKey: string;
  /** As rendered: input like any other. */
  spec: unknown;
  timeoutMs: number;
  wantsOutput: boolean;
}

/** Where a run stands that is a step, or an item of one. */
export interface ChildPlace {
  runId: string;
  stepId: string;
  item: number | null;
}

/** How a step, or an item, ended. `output` is left out where it is large or nobody asked for it. */
export interface StepEnd {
  status: 'succeeded' | 'failed' | 'skipped' | 'canceled';
  errorCode: string | null;
  bytes: number;
  output?: unknown;
  /** Where no job row tells it. */
  error?: StoredError;
}

/** An item that failed without a call, or a run, whose row could tell it. */
export interface FailedItem {
  index: number;
  error: StoredError;
}

/** Values of one `forEach`, from the item `from` on; null where an item failed. */
export interface ItemValues {
  runId: string;
  stepId: string;
  from: number;
  outputs: unknown[];
  failed: FailedItem[];
}

export type StepCallResult = Exclude<AttemptResult, { kind: 'final' }> | { kind: 'final'; end: StepEnd };

export interface RunEnd {
  runId: string;
  status: FinalRunStatus;
  output?: unknown;
  /** The step that made the run fail; where there is none, `error` says why. */
  failedStep: string | null;
  error: StoredError | null;
}

/** A change of a step that no job row tells. */
export interface StepRecord {
  id: string;
  status: 'running' | 'waiting' | 'succeeded' | 'failed' | 'skipped' | 'canceled' | 'compensated';
  output?: unknown;
  error?: StoredError | null;
  itemsTotal?: number;
  startedAt?: string;
  finishedAt?: string;
}

export function isFinalRun(status: string): status is FinalRunStatus {
  return (FINAL_RUN_STATUSES as readonly string[]).includes(status);
}

export function jobIdOf(runId: string, stepId: string, itemIndex: number | null): string {
  return itemIndex === null ? `${runId}/${stepId}` : `${runId}/${stepId}/${itemIndex}`;
}

export function compensationIdOf(runId: string, stepId: string): string {
  return `${runId}/${stepId}/compensate`;
}

export function runError(code: string, title: string, detail: string | null = null): StoredError {
  return { code, title, status: null, detail };
}
