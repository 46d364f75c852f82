// One lane of a carrier: the first attempts of its items, so many at a time, until none is left or it is time to stop.
//
// Every item is taken, called and settled by the rules of attempt.ts, only many in one statement. What is found taken
// by nobody who is alive is settled as lost. An item that is to be tried again goes on in a workflow of its own.
import { setTimeout as sleep } from 'node:timers/promises';

import { log } from '@temporalio/activity';

import type { JobSpec } from '../contract/job.ts';
import { type LaneInput, LONGEST_LOCAL_CALL_MS } from '../contract/temporal.ts';
import { type CarriedJob, claimCarried, lostCarried } from '../db/carried.ts';
import { reach } from '../failpoint.ts';
import type { CancelBatch } from '../jobs/batches/cancel.ts';
import { timeoutMsOf } from '../jobs/carried.ts';
import { newId } from '../jobs/ids.ts';
import type { Starter } from '../jobs/start.ts';
import type { CallOutcome } from '../jobs/verdict.ts';
import {
  type AttemptDeps,
  call,
  isLocal,
  keepAlive,
  notCalled,
  outerSignal,
  SLOW_LOCAL_AT_ONCE,
  WORKER_LOST,
} from './attempt.ts';
import { runCalls } from './lane-calls.ts';
import { createLanePlaces } from './lane-places.ts';
import { createLaneResults, forever, type LaneResults } from './lane-results.ts';
import { countStart } from './measure.ts';

/** Then the workflow starts the lane anew, on whichever worker has room. */
const CLAIM_FOR_MS = 30_000;
/** Inside a workflow task. */
const CLAIM_LOCALLY_FOR_MS = 1_000;
const MAX_UNWRITTEN = 2_000;
/** Below the heartbeat timeout of the activity. */
const GIVEN_UP_AFTER_MS = 8_000;
/** A workflow task is repeated also when its worker is only late: so long after its time a short call may still be under way. */
const LATE_MS = 2_000;
const ASK_EVERY_MS = 200;

export interface LaneDeps extends AttemptDeps {
  starter: Starter;
  cancelBatch: CancelBatch;
}

export function createLanes(deps: LaneDeps) {
  const { db, gate, inFlight, isClosing, followUp, worker } = deps;
  const underWay = new Map<string, Promise<unknown>>();

  const runLane = async (lane: LaneInput): Promise<{ more: boolean }> => {
    const { carrier } = lane;
    if (isLocal() && inFlight.slowLocalCount() >= SLOW_LOCAL_AT_ONCE) return { more: true };
    const results = createLaneResults(deps);
    const calling = new Set<string>();
    const stopHeartbeat = keepAlive(() => ({ done: results.done(), calling: calling.size }));
    try {
      // Repeated because its worker was late with it, not because that is gone.
      await underWay.get(carrier)?.catch(() => {});
      const emptied = emptyLane(lane, results, calling).finally(() => underWay.delete(carrier));
      underWay.set(carrier, emptied);
      return await emptied;
    } finally {
      stopHeartbeat();
    }
  };

  const emptyLane = async (
    { carrier, concurrency, batchId }: LaneInput,
    results: LaneResults,
    calling: Set<string>,
  ): Promise<{ more: boolean }> => {
    const places = createLanePlaces(gate);
    const release = inFlight.hold(carrier, { local: isLocal() });
    const claimUntil = performance.now() + (isLocal() ? CLAIM_LOCALLY_FOR_MS : CLAIM_FOR_MS);
    const canceled = inFlight.begin(batchId ?? carrier, carrier);
    const outer = outerSignal();
    const cutOff = () => calling.forEach((jobId) => inFlight.abort(jobId));
    for (const signal of [canceled.signal, outer]) signal?.addEventListener('abort', cutOff);
    const isStopped = () => canceled.signal.aborted || outer?.aborted === true;

    const callOne = async (job: CarriedJob, takenAt: number): Promise<CallOutcome> => {
      // A frozen process that wakes up late must not send what others have given up on.
      if (performance.now() - takenAt > GIVEN_UP_AFTER_MS) return notCalled('the worker was stopped before the call');
      calling.add(job.id);
      try {
        return await call(deps, job, job.attemptId, timeoutMsOf(job.spec), null);
      } catch (error) {
        // A fault of one item is not one of its batch: tried again, it is on its own.
        log.error('a call of a batch could not be made', { jobId: job.id, error });
        return notCalled('the call could not be made');
      } finally {
        calling.delete(job.id);
      }
    };

    try {
      if (!(await settleLost({ carrier, batchId }, results))) return { more: true };
      const more = await runCalls({
        concurrency,
        places,
        claim: async (limit) => {
          const attemptIds = Array.from({ length: limit }, () => newId('att'));
          const claimed = await forever(deps, () => claimCarried(db, { carrier, attemptIds, worker }));
          if (claimed.length > 0) reach('lane.claimed');
          deps.metrics.claims.inc({ result: 'claimed' }, claimed.length);
          for (const job of claimed) countStart(deps.metrics, job);
          return claimed;
        },
        call: callOne,
        onOutcome(job, outcome) {
          reach('lane.called');
          results.add(job, outcome);
        },
        mayClaim: () => performance.now() < claimUntil && !isClosing() && !isStopped(),
        isStopped,
        isBehind: () => results.waiting() > MAX_UNWRITTEN,
      });
      const isSettled = await settleLost({ carrier, batchId }, results);
      if (batchId !== null) await followUp.batchMayBeDone(batchId);
      // Cut off by the end of its process, the lane goes on elsewhere; canceled, it is over.
      return { more: !isSettled || (more && (!isStopped() || inFlight.isCut())) };
    } finally {
      places.end();
      canceled.end();
      release();
    }
  };

  /**
   * An attempt that is open although no call of ours is under way: the worker that opened it is gone. False where that
   * is not sure yet, and the workflow task no place to wait for it.
   */
  const settleLost = async (
    { carrier, batchId }: Pick<LaneInput, 'carrier' | 'batchId'>,
    results: LaneResults,
  ): Promise<boolean> => {
    // Only the carriers of single jobs have workflow tasks of that kind.
    const isLost = ({ openMs, spec }: { openMs: number; spec: JobSpec }) =>
      batchId !== null || openMs >= Math.min(timeoutMsOf(spec), LONGEST_LOCAL_CALL_MS) + LATE_MS;
    await results.drain();
    for (const seen = new Set<string>(); ;) {
      const found = await forever(deps, () => lostCarried(db, carrier));
      const open = found.filter(({ id }) => !seen.has(id));
      if (open.length === 0) return true;
      const lost = open.filter(isLost);
      if (lost.length === 0 && isLocal()) return false;
      if (lost.length === 0) await sleep(ASK_EVERY_MS);
      deps.metrics.lostAttempts.inc(lost.length);
      for (const job of lost) {
        seen.add(job.id);
        results.add(job, WORKER_LOST);
      }
      await results.drain();
    }
  };

  return {
    runLane,
    /** The workflow was canceled from outside: so is what it carries. */
    cancelBatchItems: ({ tenant, batchId }: { tenant: string; batchId: string }) => deps.cancelBatch(tenant, batchId),
  };
}
