// The items of a `forEach`: a few at a time here, many in chunks that are workflows of their own.
//
// What an item gives is in its job row, or in the row of its run: only how it ended comes back, so that ten thousand
// outputs never meet in one history. The list is put together where the outputs are.
import { executeChild, getExternalWorkflowHandle, proxyActivities, workflowInfo } from '@temporalio/workflow';

import type { Activities } from '../../activities/index.ts';
import type { StepDefinition } from '../../language/definition.ts';
import { DEFAULT_CONCURRENCY, kindOf } from '../../language/definition.ts';
import type { Scope } from '../../language/expression.ts';
import { itemScope, type StepProgram } from '../../language/step-program.ts';
import { pausedSignal } from '../signals.ts';
import type { RunContext } from './context.ts';
import { type Ended, endOfError, failedEnd } from './ends.ts';
import { tellFailed } from './failed-items.ts';
import { valuesOfItems } from './item-values.ts';
import { waitForTurn } from './rest.ts';
import { performWork } from './work.ts';

/** As many as one history holds well, with some retries. */
export const CHUNK_SIZE = 500;
const MAX_INLINE_ITEMS = 100;
export const MAX_ITEMS = 10_000;

export const ITEM_CHUNK = 'itemChunk';

export interface ItemFailure {
  index: number;
  errorCode: string | null;
}

export interface ChunkInput {
  runId: string;
  stepId: string;
  indices: number[];
  concurrency: number;
  states: { id: string; status: string; errorCode: string | null }[];
  timers: Record<string, number>;
}

export interface ItemsDone {
  failure: ItemFailure | null;
  /** Those that rest until the next execution. */
  left: number[];
}

const durable = proxyActivities<Activities>({ startToCloseTimeout: '1 minute', retry: { maximumInterval: '10s' } });

export async function runItems(
  run: RunContext,
  step: StepDefinition,
  program: StepProgram,
  scope: Scope,
  items: unknown[],
): Promise<Ended> {
  if (items.length > MAX_ITEMS) return failedEnd('tooManyItems', `A step has at most ${MAX_ITEMS} items`);
  const startedAt = new Date().toISOString();
  run.recorder.note({ id: step.id, status: 'running', itemsTotal: items.length, startedAt });
  if (kindOf(step) === 'transform') return valuesOfItems(run, step, program, scope, items);
  const indices = items.map((_item, index) => index);
  const done =
    items.length <= MAX_INLINE_ITEMS
      ? await performItems(run, step, program, scope, items, indices, concurrencyOf(step))
      : await inChunks(run, step, indices);
  if (done.left.length > 0) return { status: 'interrupted', timer: step.id, atMs: Date.now() };
  // The row that takes the list must be there.
  await run.recorder.flush();
  return durable.endItems({ runId: run.runId, stepId: step.id, total: items.length, failure: done.failure });
}

/** Stops at the first item that makes the step fail; those under way end. */
export async function performItems(
  run: RunContext,
  step: StepDefinition,
  program: StepProgram,
  scope: Scope,
  items: unknown[],
  indices: number[],
  concurrency: number,
): Promise<ItemsDone> {
  const done: ItemsDone = { failure: null, left: [] };
  const queue = [...indices];
  const lane = async () => {
    for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
      if (done.failure !== null) return;
      const ended = (await waitForTurn(run, 0)) ? await performItem(index) : null;
      if (ended === null || ended.status === 'interrupted') {
        done.left.push(index);
        if (ended !== null) run.timers.set(ended.timer, ended.atMs);
      } else if (ended.status !== 'succeeded' && step.onError !== 'continue') {
        done.failure ??= { index, errorCode: ended.errorCode };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, indices.length) }, lane));
  return done;

  async function performItem(index: number): Promise<Ended> {
    try {
      return await performWork(run, step, program.work(itemScope(scope, step, items[index], index)), index);
    } catch (error) {
      return tellFailed(run, step, index, endOfError(error));
    }
  }
}

async function inChunks(run: RunContext, step: StepDefinition, indices: number[]): Promise<ItemsDone> {
  const concurrency = concurrencyOf(step);
  const lanes = Math.ceil(concurrency / CHUNK_SIZE);
  const chunks = Array.from({ length: Math.ceil(indices.length / CHUNK_SIZE) }, (_chunk, at) =>
    indices.slice(at * CHUNK_SIZE, (at + 1) * CHUNK_SIZE),
  );
  let failure: ItemFailure | null = null;
  run.children += 1;
  const lane = async () => {
    for (let chunk = chunks.shift(); chunk !== undefined && failure === null; chunk = chunks.shift()) {
      failure ??= await runChunk(run, step, chunk, Math.ceil(concurrency / lanes));
    }
  };
  try {
    await Promise.all(Array.from({ length: lanes }, lane));
  } finally {
    run.children -= 1;
  }
  return { failure, left: [] };
}

async function runChunk(
  run: RunContext,
  step: StepDefinition,
  indices: number[],
  concurrency: number,
): Promise<ItemFailure | null> {
  const first = indices[0] ?? 0;
  const workflowId = `${run.runId}/${step.id}/${first}-${first + indices.length - 1}`;
  const tellPaused = (paused: boolean) => {
    void getExternalWorkflowHandle(workflowId)
      .signal(pausedSignal, paused)
      // It has just ended.
      .catch(() => {});
  };
  const states = [...run.states].map(([id, { status, errorCode = null }]) => ({ id, status, errorCode }));
  const input: ChunkInput = {
    ...{ runId: run.runId, stepId: step.id, indices, concurrency, states, timers: {} },
  };
  run.onPaused.add(tellPaused);
  try {
    return (await executeChild(ITEM_CHUNK, {
      workflowId,
      args: [input],
      staticSummary: `step ${step.id}, items ${first} to ${first + indices.length - 1}`,
      parentClosePolicy: 'REQUEST_CANCEL',
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
      ...(workflowInfo().priority ? { priority: workflowInfo().priority } : {}),
    })) as ItemFailure | null;
  } finally {
    run.onPaused.delete(tellPaused);
  }
}

function concurrencyOf({ concurrency = DEFAULT_CONCURRENCY }: StepDefinition): number {
  return concurrency;
}
