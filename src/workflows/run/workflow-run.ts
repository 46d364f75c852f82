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
import type { RunEnd } from '../../activities/run-states.ts';
import { type CarriedRun, isFinalRun, runError, type RunInput } from '../../contract/run.ts';
import { ExpressionError } from '../../language/expression-error.ts';
import { failedSteps, stepsWithoutOutput } from '../../language/progress.ts';
import { compileTemplate, renderTemplate } from '../../language/template.ts';
import { runChangedSignal } from '../signals.ts';
import { compensate } from './compensate.ts';
import { createContext, type RunContext, scopeOf } from './context.ts';
import { valueEnd } from './ends.ts';
import { interpret, type Outcome } from './interpret.ts';
import { showProgress } from './progress-text.ts';
import { outputReferences } from './references.ts';

const quick = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10s',
  retry: { maximumInterval: '5s' },
  summary: 'run',
});
const durable = proxyActivities<Activities>({ startToCloseTimeout: '30s', retry: { maximumInterval: '10s' } });

export async function workflowRun({ runId, runAtMs, carried }: RunInput): Promise<{ status: string }> {
  const inbox = { news: 0 };
  setHandler(runChangedSignal, () => {
    inbox.news += 1;
  });
  try {
    if (runAtMs !== null && runAtMs > Date.now()) await sleep(runAtMs - Date.now());
    const snapshot = await quick.beginRun({ runId });
    if (snapshot === null) return { status: 'final' };
    const run = await createContext(runId, snapshot, carried ?? null);
    const outcome = await untilDeadline(run, () => interpret(run, inbox));
    if (outcome === 'rest') {
      return await continueAsNew<typeof workflowRun>({ runId, runAtMs: null, carried: carry(run) });
    }
    const end = await conclude(run, outcome);
    await run.recorder.flush();
    await quick.finishRun(end);
    showProgress(run, end.status);
    return result(end);
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => durable.confirmRunCanceled({ runId }));
    throw error;
  }
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
  if (outcome === 'succeeded') {
    const end = await outputOf(run);
    if (end.status === 'succeeded') return end;
    await compensate(run);
    return end;
  }
  // Named before the steps are undone.
  const [failedStep = null] = failedSteps(definition, plan, states);
  await compensate(run);
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

function carry({ states, completed, outputBytes, timers }: RunContext): CarriedRun {
  return {
    states: [...states].map(([id, { status, errorCode = null }]) => ({ id, status, errorCode })),
    completed,
    outputBytes,
    timers: Object.fromEntries(timers),
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
