// A run of a workflow, step by step.
import type { StoredError } from '../../contract/problem.ts';
import type { Duration, LabelFilter, Labels, Links, ListFilter, OneOrMore } from './common.ts';
import type { StartTime } from './job.ts';
import type { WorkflowDefinition } from './workflow.ts';

export type RunStatus =
  'scheduled' | 'queued' | 'running' | 'waiting' | 'paused' | 'succeeded' | 'failed' | 'canceled' | 'expired';

export type StepStatus =
  'pending' | 'running' | 'waiting' | 'retrying' | 'succeeded' | 'failed' | 'skipped' | 'canceled' | 'compensated';

export type RunFields<Input = unknown> = {
  input?: Input;
  version?: number;
  labels?: Labels;
  deadline?: Duration;
  priority?: 1 | 2 | 3 | 4 | 5;
} & StartTime;

export interface InlineRunInput {
  definition: WorkflowDefinition;
  input?: unknown;
}

export interface RunStep {
  id: string;
  status: StepStatus;
  attempts: number;
  output: unknown;
  error: StoredError | null;
  startedAt: string | null;
  finishedAt: string | null;
  items: { total: number; running: number; succeeded: number; failed: number } | null;
}

export interface Run {
  id: string;
  workflow: string | null;
  version: number | null;
  status: RunStatus;
  input: unknown;
  output: unknown;
  error: StoredError | null;
  steps: RunStep[];
  labels: Labels;
  redriveOf: string | null;
  createdAt: string;
  updatedAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  links: Links;
}

export interface StepItem {
  index: number;
  status: StepStatus;
  attempts: number;
  output: unknown;
  error: StoredError | null;
}

export interface RunFilter extends ListFilter {
  workflow?: OneOrMore<string>;
  status?: OneOrMore<RunStatus>;
  label?: OneOrMore<LabelFilter>;
}

export interface RunRedriveInput {
  fromStep?: string;
  /** A merge patch on `{input, definition}`. */
  patch?: { input?: unknown; definition?: unknown };
  version?: number;
}
