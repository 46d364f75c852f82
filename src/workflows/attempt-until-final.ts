// The loop of attempts that jobs and the steps of runs have in common.
import { isCancellation, log, proxyLocalActivities } from '@temporalio/workflow';

import type { Activities } from '../activities/index.ts';
import type { AttemptResult } from '../contract/temporal.ts';

export type Attempted<Final extends { kind: 'final' }> = Exclude<AttemptResult, { kind: 'final' }> | Final;

export interface Attempts<Final extends { kind: 'final' }> {
  first(): Promise<Attempted<Final>>;
  again(): Promise<Attempted<Final>>;
  /** The call was made and only our bookkeeping failed. */
  record(record: unknown): Promise<Attempted<Final>>;
  /** False to leave the rest to another execution of the workflow. */
  waitUntil(atMs: number): Promise<boolean>;
}

export async function attemptUntilFinal<Final extends { kind: 'final' }>(
  attempts: Attempts<Final>,
): Promise<Final | { kind: 'interrupted'; atMs: number }> {
  let result = await attempts.first();
  while (result.kind !== 'final') {
    if (result.kind === 'retry' && !(await attempts.waitUntil(result.atMs))) {
      return { kind: 'interrupted', atMs: result.atMs };
    }
    result = await (result.kind === 'unrecorded' ? attempts.record(result.record) : attempts.again());
  }
  return result;
}

/** Inside the workflow task, for short calls that may be repeated: it costs no round trip through the server. */
export async function attemptLocally<Result>(
  timeoutMs: number,
  summary: string | undefined,
  attempt: (local: ReturnType<typeof proxyLocalActivities<Activities>>) => Promise<Result>,
): Promise<Result | { kind: 'unopened' }> {
  const local = proxyLocalActivities<Activities>({
    startToCloseTimeout: timeoutMs + 10_000,
    retry: { maximumAttempts: 1 },
    ...(summary === undefined ? {} : { summary }),
  });
  try {
    return await attempt(local);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the first attempt did not report back', { error });
    return { kind: 'unopened' };
  }
}

/** Repeated by Temporal only when its worker vanished; a repetition first settles what the lost one left open. */
export function regularAttempt(timeoutMs: number) {
  return {
    startToCloseTimeout: timeoutMs + 120_000,
    heartbeatTimeout: '10s',
    retry: { initialInterval: '500ms', maximumInterval: '10s' },
  } as const;
}
