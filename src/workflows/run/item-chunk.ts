// A part of the items of one `forEach`, with a history of its own.
import { continueAsNew, proxyActivities, setHandler, workflowInfo } from '@temporalio/workflow';

import type { Activities } from '../../activities/index.ts';
import { compileStep } from '../../language/step-program.ts';
import { pausedSignal } from '../signals.ts';
import { createContext, definedStep, scopeOf } from './context.ts';
import { type ChunkInput, type ItemFailure, performItems } from './items.ts';
import { referencesOf } from './references.ts';

const { readRun } = proxyActivities<Activities>({ startToCloseTimeout: '30s', retry: { maximumInterval: '10s' } });

export async function itemChunk(input: ChunkInput): Promise<ItemFailure | null> {
  const { runId, stepId, indices, concurrency } = input;
  let told: boolean | null = null;
  setHandler(pausedSignal, (paused) => {
    told = paused;
    if (run) run.paused = paused;
  });
  let run: Awaited<ReturnType<typeof createContext>> | null = null;
  const snapshot = await readRun({ runId });
  if (snapshot === null) return null;
  run = await createContext(runId, snapshot, {
    states: input.states,
    completed: [],
    outputBytes: 0,
    timers: input.timers,
  });
  // A signal sent before this execution existed was lost, but the row it was about was written before.
  run.paused = told ?? snapshot.paused;
  run.soloStep = stepId;
  run.isStopping = () => workflowInfo().continueAsNewSuggested;
  const step = definedStep(run, stepId);
  const program = compileStep(step);
  const scope = await scopeOf(run, referencesOf(step));
  const items = program.items(scope) ?? [];
  const { failure, left } = await performItems(run, step, program, scope, items, indices, concurrency);
  if (failure !== null || left.length === 0) return failure;
  return continueAsNew<typeof itemChunk>({ ...input, indices: left, timers: Object.fromEntries(run.timers) });
}
