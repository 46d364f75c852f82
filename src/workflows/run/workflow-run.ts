// A whole run of a workflow, as one Temporal workflow: begun, interpreted, undone where it failed, ended.
//
// What it decides depends on its history alone; what others read is in PostgreSQL, written by activities. Cancel and
// deadline cut the interpreter off wherever it stands; a long history ends with the same run in a new execution.
import {
  ApplicationFailure,
  CancellationScope,
  continueAsNew,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
} from '@temporalio/workflow';

import type { Activities } from '../../activities/index.ts';
import { type CarriedRun, isFinalRun, type RunEnd, runError, type RunInput } from '../../contract/run.ts';
import { ExpressionError } from '../../language/expression-error.ts';
import { failedSteps, stepsWithoutOutput } from '../../language/progress.ts';
import { compileTemplate, renderTemplate } from '../../language/template.ts';
import { runChangedSignal } from '../signals.ts';
import { compensate } from './compensate.ts';
import { createContext, type RunContext, scopeOf } from './context.ts';
import { valueEnd } from './ends.ts';
import { interpret, type Outcome } from './interpret.ts';
import type { Inbox } from './news.ts';
import { showProgress } from './progress-text.ts';
import { outputReferences } from './references.ts';

const quick = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10s',
  retry: { maximumInterval: '5s' },
  summary: 'run',
});
const durable = proxyActivities<Activities>({ startToCloseTimeout: '30s', retry: { maximumInterval: '10s' } });

export async function workflowRun({ runId, runAtMs, carried }: RunInput): Promise<{ status: string }> {
  const inbox: Inbox = { news: 0, heard: 0 };
  setHandler(runChangedSignal, () => {
    inbox.news += 1;
  });
  try {
    if (runAtMs !== null && runAtMs > Date.now()) await sleep(runAtMs - Date.now());
    const snapshot = await quick.beginRun({ runId });
    if (snapshot === null) return { status: 'final' };
    const run = await createContext(runId, snapshot, carried ?? null);
    const end = carried?.undoing ?? (await work(run, inbox));
    const isDone = end !== null && (end.status !== 'failed' || (await compensate(run, inbox)));
    await run.recorder.flush();
    if (!isDone) return await continueAsNew<typeof workflowRun>({ runId, runAtMs: null, carried: carry(run, end) });
    await quick.finishRun(end);
    showProgress(run, end.status);
    return result(end);
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => durable.confirmRunCanceled({ runId }));
    throw error;
  }
}

/** Null when the history is long enough. */
async function work(run: RunContext, inbox: Inbox): Promise<RunEnd | null> {
  const outcome = await untilDeadline(run, () => interpret(run, inbox));
  return outcome === 'rest' ? null : conclude(run, outcome);
}

async function untilDeadline(run: RunContext, work: () => Promise<Outcome>): Promise<Outcome | 'expired'> {
  const { deadlineAtMs } = run.snapshot;
  if (deadlineAtMs === null) return work();
  const scope = new CancellationScope();
  const clock = new CancellationScope();
  let isLate = false;
  const ringing = clock.run(async () => {
    await sleep(Math.max(1, deadlineAtMs - Date.now()));
    isLate = true;
    scope.cancel();
  });
  // It ends by being canceled, unless it rings.
  ringing.catch(() => {});
  try {
    return await scope.run(work);
  } catch (error) {
    if (isLate && isCancellation(error)) return 'expired';
    throw error;
  } finally {
    clock.cancel();
  }
}

async function conclude(run: RunContext, outcome: 'succeeded' | 'failed' | 'expired'): Promise<RunEnd> {
  const { runId, definition, plan, states } = run;
  if (outcome === 'expired') {
    const error = runError('deadlineExceeded', 'The deadline has passed');
    return { runId, status: 'expired', failedStep: null, error };
  }
  if (outcome === 'succeeded') return outputOf(run);
  const [failedStep = null] = failedSteps(definition, plan, states);
  return { runId, status: 'failed', failedStep, error: runError('stepFailed', 'A step failed') };
}

async function outputOf(run: RunContext): Promise<RunEnd> {
  const { runId, definition, plan, states } = run;
  const failed = (code: string, title: string, detail: string | null): RunEnd => ({
    ...{ runId, status: 'failed', failedStep: null },
    error: runError(code, title, detail),
  });
  try {
    const scope = await scopeOf(run, outputReferences(definition));
    const { template } = compileTemplate(definition.output ?? null);
    const end = valueEnd(renderTemplate(template, scope, { absent: stepsWithoutOutput(plan, states) }));
    if (end.status === 'succeeded') {
      return { runId, status: 'succeeded', output: end.output, failedStep: null, error: null };
    }
    return failed('outputTooLarge', 'The output of the run is too large', end.error?.detail ?? null);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return failed('expressionFailed', 'The output of the run could not be computed', error.message);
  }
}

function carry({ states, completed, outputBytes, timers }: RunContext, undoing: RunEnd | null): CarriedRun {
  return {
    states: [...states].map(([id, { status, errorCode = null }]) => ({ id, status, errorCode })),
    completed,
    outputBytes,
    timers: Object.fromEntries(timers),
    ...(undoing === null ? {} : { undoing }),
  };
}

/** A run that did not succeed shows as failed in the Web UI too. */
function result({ status, error }: RunEnd): { status: string } {
  if (status === 'succeeded' || !isFinalRun(status)) return { status };
  throw ApplicationFailure.create({
    type: error?.code ?? status,
    message: error?.title ?? status,
    nonRetryable: true,
    category: 'BENIGN',
  });
}
