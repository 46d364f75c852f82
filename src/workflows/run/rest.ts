// Waiting inside a run: for a time, for news, or for the end of a pause; all of it ends when the run is to rest.
import { condition } from '@temporalio/workflow';

import type { RunContext } from './context.ts';

/** False when the run is to rest: whoever waited is to come back to it at `atMs` in the next execution. */
export async function waitUntil(run: RunContext, atMs: number): Promise<boolean> {
  const waitMs = atMs - Date.now();
  if (waitMs > 0 && !run.isStopping()) await condition(run.isStopping, waitMs);
  return !run.isStopping();
}

/** The same, and nothing goes on while the run is paused. */
export async function waitForTurn(run: RunContext, atMs: number): Promise<boolean> {
  if (!(await waitUntil(run, atMs))) return false;
  if (run.paused) await condition(() => !run.paused || run.isStopping());
  return !run.isStopping();
}
