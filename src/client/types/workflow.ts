// A workflow definition as it is stored, written by hand or by the builder.
import type { Duration, Instant, Links, ListFilter, NotifyInput } from './common.ts';
import type { HttpInput, RetryInput } from './job.ts';

/** One kind a step. */
export type StepKind<Compensate = Compensation> =
  | { http: HttpInput; compensate?: Compensate; wait?: never; waitFor?: never; workflow?: never; transform?: never }
  | { wait: WaitStep; http?: never; waitFor?: never; workflow?: never; transform?: never; compensate?: never }
  | { waitFor: SignalStep; http?: never; wait?: never; workflow?: never; transform?: never; compensate?: never }
  | { workflow: ChildStep; http?: never; wait?: never; waitFor?: never; transform?: never; compensate?: never }
  | { transform: unknown; http?: never; wait?: never; waitFor?: never; workflow?: never; compensate?: never };

export type WaitStep = { for: Duration; until?: never } | { for?: never; until: Instant };

export interface SignalStep {
  signal: string;
  timeout?: Duration;
  onTimeout?: 'fail' | 'continue';
}

export interface ChildStep {
  name: string;
  version?: number;
  input?: unknown;
}

export interface Compensation {
  http: HttpInput;
  retry?: RetryInput;
}

export interface StepFields<StepId extends string = string> {
  dependsOn?: readonly StepId[];
  /** Bare CEL; false means `skipped`. */
  if?: string;
  runWhen?: 'allSucceeded' | 'allDone' | 'anyFailed';
  forEach?: unknown;
  as?: string;
  concurrency?: number;
  onError?: 'fail' | 'continue';
  retry?: RetryInput;
}

export type StepInput = { id: string } & StepFields & StepKind;

export interface WorkflowOptions {
  description?: string;
  defaults?: { timeout?: Duration; retry?: RetryInput };
  output?: unknown;
  notify?: readonly NotifyInput[];
  onFailure?: 'compensate';
}

export interface WorkflowDefinition extends WorkflowOptions {
  input?: { schema: Record<string, unknown> };
  steps: readonly StepInput[];
}

export interface Workflow {
  name: string;
  version: number;
  description: string | null;
  definition: WorkflowDefinition;
  createdAt: string;
  links: Links;
}

export interface WorkflowValidation {
  valid: true;
  plan: unknown;
}

export type WorkflowFilter = ListFilter;
