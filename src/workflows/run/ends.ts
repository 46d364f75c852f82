// The ways in which a step can end without a call having said so.
import { ActivityFailure, isCancellation } from '@temporalio/workflow';

import { MAX_OUTPUT_BYTES, runError, type StepEnd } from '../../contract/run.ts';
import { ExpressionError } from '../../language/expression-error.ts';

/** The step rests until the next execution of the run takes it up again at `atMs`. */
export interface Interrupted {
  status: 'interrupted';
  timer: string;
  atMs: number;
}

export type Ended = StepEnd | Interrupted;

export const SKIPPED: StepEnd = { status: 'skipped', errorCode: null, bytes: 0 };

export function failedEnd(code: string, title: string, detail: string | null = null): StepEnd {
  return { status: 'failed', errorCode: code, bytes: 0, error: runError(code, title, detail) };
}

export function tooLarge(): StepEnd {
  const detail = 'An output has at most 64 KiB, those of a run 8 MiB.';
  return failedEnd('outputTooLarge', 'The output is too large', detail);
}

/** A value that the run itself has made. */
export function valueEnd(output: unknown): StepEnd {
  const bytes = byteLength(JSON.stringify(output));
  return bytes > MAX_OUTPUT_BYTES ? tooLarge() : { status: 'succeeded', errorCode: null, bytes, output };
}

/** Errors of expressions, and of activities that gave up, end the step; everything else is a fault of ours. */
export function endOfError(error: unknown): StepEnd {
  if (isCancellation(error)) throw error;
  if (error instanceof ExpressionError) {
    return failedEnd('expressionFailed', 'An expression could not be evaluated', error.message);
  }
  if (error instanceof ActivityFailure) {
    return failedEnd('internal', 'The step could not be carried out', error.cause?.message ?? error.message);
  }
  throw error;
}

export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
