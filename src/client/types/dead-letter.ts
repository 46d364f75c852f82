// A dead letter: what ended badly, and how it is driven again.
import type { StoredError } from '../../contract/problem.ts';
import type { ListFilter, OneOrMore } from './common.ts';
import type { Job } from './job.ts';
import type { Run } from './run.ts';

export type DeadLetterKind = 'job' | 'run';

export interface DeadLetter {
  id: string;
  kind: DeadLetterKind;
  jobId: string | null;
  runId: string | null;
  stepId: string | null;
  name: string | null;
  reason: string;
  error: StoredError | null;
  attempts: number;
  fingerprint: string;
  target: string | null;
  createdAt: string;
  redrivenAs: string | null;
}

export interface DeadLetterSelection {
  reason?: OneOrMore<string>;
  name?: OneOrMore<string>;
  host?: OneOrMore<string>;
  fingerprint?: OneOrMore<string>;
  kind?: OneOrMore<DeadLetterKind>;
}

export interface DeadLetterFilter extends DeadLetterSelection, ListFilter {
  redriven?: boolean;
}

export interface RedriveInput {
  /** A merge patch on the job's spec (or on `{input, definition}` of a run). */
  patch?: Record<string, unknown>;
  /** Gives the target a new `Idempotency-Key`: the effect may happen again. */
  newKey?: boolean;
  fromStep?: string;
}

export type RedriveManyInput = { patch?: Record<string, unknown>; maxPerSecond?: number } & (
  { ids: readonly string[]; filter?: never } | { ids?: never; filter: DeadLetterSelection }
);

export type Redriven = Job | Run;

export interface BulkOperation {
  id: string;
  status: 'running' | 'finished' | 'aborted';
  counts: { total: number; done: number; skipped: number; failed: number };
}
