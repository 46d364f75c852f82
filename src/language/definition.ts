// A workflow as a team writes it: steps, what they wait for, and what happens when one fails.
import type { Delivery, NotifyRule, RetryPolicy } from '../contract/job.ts';
import type { HttpInput } from './http-template.ts';

export const STEP_KINDS = ['http', 'wait', 'waitFor', 'workflow', 'transform'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

export const RUN_WHEN = ['allSucceeded', 'allDone', 'anyFailed'] as const;
export type RunWhen = (typeof RUN_WHEN)[number];

export const ON_ERROR = ['fail', 'continue'] as const;
export type OnError = (typeof ON_ERROR)[number];

export const FINAL_RUN_STATUSES = ['succeeded', 'failed', 'canceled', 'expired'] as const;

export const MAX_STEPS = 500;
export const MAX_STEP_DEPTH = 100;
export const DEFAULT_CONCURRENCY = 10;

/** A definition that passed validation, with defaults filled in; validating it again gives the same. */
export interface WorkflowDefinition {
  description?: string;
  input?: { schema: JsonSchema };
  defaults?: StepDefaults;
  steps: StepDefinition[];
  /** A template; a part that uses the output of a step that has none is null. */
  output?: unknown;
  notify?: NotifyRule[];
  /** What a failed run does with the steps that succeeded: `compensate` (default) undoes those that say how. */
  onFailure: 'compensate' | 'stop';
}

export type JsonSchema = Readonly<Record<string, unknown>> | boolean;

export interface StepDefaults {
  timeout?: string;
  retry?: Partial<RetryPolicy>;
}

/** Exactly one of the five kinds is present. */
export interface StepDefinition {
  id: string;
  /** What was written; references add to it, see `planOf`. */
  dependsOn: string[];
  runWhen: RunWhen;
  onError: OnError;
  /** Bare CEL. */
  if?: string;
  /** A list, or a text that is one `${ … }` giving a list. */
  forEach?: unknown;
  as?: string;
  concurrency?: number;
  retry?: Partial<RetryPolicy>;
  delivery?: Delivery;
  compensate?: Compensation;
  http?: HttpInput;
  wait?: WaitStep;
  waitFor?: WaitForStep;
  workflow?: WorkflowStep;
  transform?: unknown;
}

export interface Compensation {
  http: HttpInput;
  retry?: Partial<RetryPolicy>;
  delivery?: Delivery;
}

/** Texts; either may be a template. */
export type WaitStep = { for: string } | { until: string };

export interface WaitForStep {
  signal: string;
  timeout?: string;
  onTimeout: OnError;
  schema?: JsonSchema;
}

export interface WorkflowStep {
  name: string;
  version?: number;
  input?: unknown;
}

export function kindOf(step: StepDefinition): StepKind {
  const kind = STEP_KINDS.find((candidate) => step[candidate] !== undefined);
  if (kind === undefined) throw new TypeError(`step ${step.id} has no kind`);
  return kind;
}
