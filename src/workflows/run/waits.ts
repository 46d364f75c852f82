// Steps that wait: for a time to pass, for a moment to come, or for a signal.
import { condition, proxyActivities } from '@temporalio/workflow';

import type { Activities } from '../../activities/index.ts';
import type { StepDefinition } from '../../language/definition.ts';
import type { StepWork } from '../../language/step-program.ts';
import type { RunContext } from './context.ts';
import { type Ended, failedEnd, valueEnd } from './ends.ts';
import { waitUntil } from './rest.ts';

const { takeSignal } = proxyActivities<Activities>({
  startToCloseTimeout: '30s',
  retry: { maximumInterval: '10s' },
  summary: 'look for a signal',
});

/** Outlives the journey into the next execution, which Infinity does not. */
const NEVER = Number.MAX_SAFE_INTEGER;

type Wait = StepWork & { kind: 'waitMs' | 'waitUntil' };
type WaitFor = StepWork & { kind: 'waitFor' };

export async function waitStep(run: RunContext, { id }: StepDefinition, work: Wait): Promise<Ended> {
  const atMs = run.timers.get(id) ?? (work.kind === 'waitMs' ? Date.now() + work.durationMs : work.time.getTime());
  noteWaiting(run, id);
  return (await waitUntil(run, atMs)) ? valueEnd(null) : { status: 'interrupted', timer: id, atMs };
}

export async function waitForStep(
  run: RunContext,
  { id, waitFor }: StepDefinition,
  { signal, timeoutMs }: WaitFor,
): Promise<Ended> {
  const atMs = run.timers.get(id) ?? (timeoutMs === null ? NEVER : Date.now() + timeoutMs);
  noteWaiting(run, id);
  for (;;) {
    const news = run.news;
    const taken = await takeSignal({ runId: run.runId, name: signal, stepId: id });
    if (taken !== null) return valueEnd(taken.payload);
    const waitMs = atMs - Date.now();
    if (waitMs <= 0) break;
    const isWoken = () => run.news !== news || run.isStopping();
    await (atMs === NEVER ? condition(isWoken) : condition(isWoken, waitMs));
    if (run.isStopping()) return { status: 'interrupted', timer: id, atMs };
  }
  if (waitFor?.onTimeout === 'continue') return valueEnd(null);
  return failedEnd('signalTimeout', `The signal ${signal} did not come in time`);
}

function noteWaiting(run: RunContext, id: string): void {
  run.recorder.note({ id, status: 'waiting', startedAt: new Date().toISOString() });
}
