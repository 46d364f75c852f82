// A `forEach` over values, which the workflow makes itself: all at once, each held to the size of one output.
import { proxyActivities } from '@temporalio/workflow';

import type { Activities } from '../../activities/index.ts';
import { type ItemValues, MAX_RUN_OUTPUT_BYTES, type StepEnd } from '../../contract/run.ts';
import type { StepDefinition } from '../../language/definition.ts';
import type { Scope } from '../../language/expression.ts';
import { itemScope, type StepProgram } from '../../language/step-program.ts';
import type { RunContext } from './context.ts';
import { byteLength, endOfError, tooLarge, valueEnd } from './ends.ts';
import { tellFailed, writesFailedItems } from './failed-items.ts';

/** Far below the 2 MiB of a payload, also with the last item on top. */
const PIECE_BYTES = 400_000;

const { recordValues } = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
  retry: { maximumInterval: '10s' },
  summary: 'note values',
});

export async function valuesOfItems(
  run: RunContext,
  step: StepDefinition,
  program: StepProgram,
  scope: Scope,
  items: unknown[],
): Promise<StepEnd> {
  const ends = items.map((item, index) => valueOf(program, itemScope(scope, step, item, index)));
  const failure = ends.find(({ status }) => status === 'failed');
  const outputs = ends.map(({ output = null }) => output);
  const small = failure ?? valueEnd(outputs);
  // Earlier versions fail the step where this is not enough: runs that have done so go on as they decided then.
  if (small.status === 'succeeded' || !writesFailedItems()) return small;
  if (failure !== undefined && step.onError !== 'continue') {
    return tellFailed(run, step, ends.indexOf(failure), failure);
  }
  const bytes = byteLength(JSON.stringify(outputs));
  if (bytes > MAX_RUN_OUTPUT_BYTES) return tooLarge();
  // The row that takes the list must be there.
  await run.recorder.flush();
  for (const piece of piecesOf(ends)) await recordValues({ runId: run.runId, stepId: step.id, ...piece });
  return { status: 'succeeded', errorCode: null, bytes };
}

function valueOf(program: StepProgram, scope: Scope): StepEnd {
  try {
    const work = program.work(scope);
    return valueEnd(work.kind === 'transform' ? work.output : null);
  } catch (error) {
    return endOfError(error);
  }
}

type Piece = Pick<ItemValues, 'from' | 'outputs' | 'failed'>;

function piecesOf(ends: StepEnd[]): Piece[] {
  const pieces: Piece[] = [];
  let bytes = Infinity;
  for (const [index, { output = null, error }] of ends.entries()) {
    if (bytes >= PIECE_BYTES) {
      pieces.push({ from: index, outputs: [], failed: [] });
      bytes = 0;
    }
    const piece = pieces.at(-1);
    piece?.outputs.push(output);
    if (error !== undefined) piece?.failed.push({ index, error });
    bytes += byteLength(JSON.stringify([output, error]));
  }
  return pieces;
}
