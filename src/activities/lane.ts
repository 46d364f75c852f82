// One lane of a carrier: the first attempts of its items, so many at a time, until none is left or it is time to stop.
//
// Every item is taken, called and settled by the rules of attempt.ts, only many in one statement. What is found taken
// by nobody who is alive is settled as lost. An item that is to be tried again goes on in a workflow of its own.
import { Context, heartbeat, log } from '@temporalio/activity';

import { parseDurationMs } from '../contract/duration.ts';
import type { LaneInput } from '../contract/temporal.ts';
import { type CarriedJob, claimCarried, lostCarried } from '../db/carried.ts';
import { reach } from '../failpoint.ts';
import type { CancelBatch } from '../jobs/batches/cancel.ts';
import { newId } from '../jobs/ids.ts';
import type { Starter } from '../jobs/start.ts';
import type { CallOutcome } from '../jobs/verdict.ts';
import { type AttemptDeps, call, notCalled, WORKER_LOST } from './attempt.ts';
import { runCalls } from './lane-calls.ts';
import { createLanePlaces } from './lane-places.ts';
import { createLaneResults, forever, type LaneResults } from './lane-results.ts';
import { countStart } from './measure.ts';

/** Then the workflow starts the lane anew, on whichever worker has room. */
const CLAIM_FOR_MS = 30_000;
const HEARTBEAT_EVERY_MS = 2_500;
const MAX_UNWRITTEN = 2_000;
/** Below the heartbeat timeout of the activity. */
const GIVEN_UP_AFTER_MS = 8_000;

export interface LaneDeps extends AttemptDeps {
  starter: Starter;
  cancelBatch: CancelBatch;
}

export function createLanes(deps: LaneDeps) {
  const { db, gate, inFlight, isClosing, followUp, worker } = deps;

  const runLane = async ({ carrier, concurrency, batchId, open }: LaneInput): Promise<{ more: boolean }> => {
    const results = createLaneResults(deps);
    const places = createLanePlaces(gate);
    const calling = new Set<string>();
    const { cancellationSignal } = Context.current();
    const claimUntil = performance.now() + CLAIM_FOR_MS;
    const mayCome = createDoor(open);
    const canceled = inFlight.begin(batchId ?? carrier, carrier);
    const cutOff = () => calling.forEach((jobId) => inFlight.abort(jobId));
    for (const signal of [canceled.signal, cancellationSignal]) signal.addEventListener('abort', cutOff);
    const beat = setInterval(() => heartbeat({ done: results.done(), calling: calling.size }), HEARTBEAT_EVERY_MS);
    const isStopped = () => canceled.signal.aborted || cancellationSignal.aborted;

    const callOne = async (job: CarriedJob, takenAt: number): Promise<CallOutcome> => {
      // A frozen process that wakes up late must not send what others have given up on.
      if (performance.now() - takenAt > GIVEN_UP_AFTER_MS) return notCalled('the worker was stopped before the call');
      calling.add(job.id);
      try {
        return await call(deps, job, job.attemptId, parseDurationMs(job.spec.http.timeout) ?? 0, null);
      } catch (error) {
        // A fault of one item is not one of its batch: tried again, it is on its own.
        log.error('a call of a batch could not be made', { jobId: job.id, error });
        return notCalled('the call could not be made');
      } finally {
        calling.delete(job.id);
      }
    };

    try {
      await settleLost(carrier, results);
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
        mayCome,
        isStopped,
        isBehind: () => results.waiting() > MAX_UNWRITTEN,
      });
      await settleLost(carrier, results);
      if (batchId !== null) await followUp.batchMayBeDone(batchId);
      // Cut off by the end of its process, the lane goes on elsewhere; canceled, it is over.
      return { more: more && (!isStopped() || inFlight.isCut()) };
    } finally {
      clearInterval(beat);
      places.end();
      canceled.end();
    }
  };

  /** An attempt that is open although no call of ours is under way: the worker that opened it is gone. */
  const settleLost = async (carrier: string, results: LaneResults): Promise<void> => {
    await results.drain();
    for (const seen = new Set<string>(); ;) {
      const found = await forever(deps, () => lostCarried(db, carrier));
      const lost = found.filter(({ id }) => seen.size !== seen.add(id).size);
      if (lost.length === 0) return;
      deps.metrics.lostAttempts.inc(lost.length);
      for (const job of lost) results.add(job, WORKER_LOST);
      await results.drain();
    }
  };

  return {
    runLane,
    /** The workflow was canceled from outside: so is what it carries. */
    cancelBatchItems: ({ tenant, batchId }: { tenant: string; batchId: string }) => deps.cancelBatch(tenant, batchId),
  };
}

/** Of a lane that others may still board: open for a time, and while they keep coming. */
function createDoor({ openForMs = 0, quietMs = 0 }: LaneInput['open'] = {}): (taken: number) => boolean {
  const openUntil = performance.now() + openForMs;
  let lastAt = performance.now();
  return (taken) => {
    const now = performance.now();
    if (taken > 0) lastAt = now;
    return now < openUntil && now < lastAt + quietMs;
  };
}
