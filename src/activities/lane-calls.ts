// The calls of one lane: items are taken a little ahead of the calls, so that a quick target never waits for the database.
//
// An item is queued (in the database), taken (its attempt is open, in `waiting`), calling, then handed to `onOutcome`.
// Ahead is only taken what will have its turn before the next claim could bring more, at the pace of the calls so far: a
// slow target has nothing in `waiting`, so a crash costs no attempt that was never made.
import type { CarriedJob } from '../db/carried.ts';
import type { CallOutcome } from '../jobs/verdict.ts';
import type { LanePlaces } from './lane-places.ts';

/** For so many claims on end, each as long as the last ones took. */
const CLAIMS_AHEAD = 2.5;
const MAX_AHEAD_MS = 60;
const MAX_AHEAD = 400;
const MAX_CLAIM = 250;
/** Nobody knows how many there are: as many again as came last, and never fewer than these. */
const LEAST_CLAIM = 32;
/** Between two claims, so that each takes many. */
const CLAIM_PAUSE_MS = 4;
/** Between two looks for who may still come; they grow while nobody does. */
const LOOK_MS = { first: 40, factor: 1.3, longest: 100 };

export interface LaneCalls {
  concurrency: number;
  places: LanePlaces;
  /** Takes up to `limit` items; fewer than asked for means that there are no more. */
  claim(limit: number): Promise<CarriedJob[]>;
  call(job: CarriedJob, takenAt: number): Promise<CallOutcome>;
  onOutcome(job: CarriedJob, outcome: CallOutcome): void;
  /** Whether to go on taking items. */
  mayClaim(): boolean;
  /** Whether others may come although there are none now; `taken` have just been found. */
  mayCome(taken: number): boolean;
  /** What was taken and not called yet will not be: others have ended it. */
  isStopped(): boolean;
  /** Results pile up: new calls wait. */
  isBehind(): boolean;
}

/** Resolves when all items taken have been called: true when there may be more in the database. */
export function runCalls(lane: LaneCalls): Promise<boolean> {
  const waiting: { job: CarriedJob; takenAt: number }[] = [];
  let calling = 0;
  let claiming = false;
  let exhausted = false;
  let averageMs = 100;
  let claimMs = 10;
  let lastTaken = LEAST_CLAIM / 2;
  let lookMs = LOOK_MS.first;

  return new Promise<boolean>((resolve, reject) => {
    const claim = async (now: number, ahead: number) => {
      const places = now > 0 ? await lane.places.reserve(now) : 0;
      const limit = places < now ? places : now + ahead;
      const askedAt = performance.now();
      const jobs = limit > 0 ? await lane.claim(limit) : [];
      lane.places.giveBack(places - jobs.length);
      const takenAt = performance.now();
      claimMs += (takenAt - askedAt - claimMs) / 4;
      for (const job of jobs) waiting.push({ job, takenAt });
      lastTaken = jobs.length;
      const isEmpty = jobs.length < limit;
      const isWaiting = isEmpty && lane.mayCome(jobs.length);
      exhausted = isEmpty && !isWaiting;
      lookMs = jobs.length > 0 ? LOOK_MS.first : Math.min(LOOK_MS.longest, lookMs * LOOK_MS.factor);
      step();
      setTimeout(
        () => {
          claiming = false;
          step();
        },
        isWaiting ? lookMs : CLAIM_PAUSE_MS,
      );
    };

    const begin = async ({ job, takenAt }: { job: CarriedJob; takenAt: number }) => {
      calling += 1;
      const startedAt = performance.now();
      const outcome = await lane.call(job, takenAt);
      averageMs += (performance.now() - startedAt - averageMs) / 20;
      calling -= 1;
      lane.places.leave();
      lane.onOutcome(job, outcome);
      step();
    };

    const step = () => {
      if (lane.isStopped()) waiting.length = 0;
      while (calling < lane.concurrency && waiting.length > 0 && !lane.isBehind() && lane.places.take(step)) {
        const next = waiting.shift();
        if (next) begin(next).catch(reject);
      }
      const aheadMs = Math.min(MAX_AHEAD_MS, CLAIMS_AHEAD * claimMs);
      const likelyDone = Math.floor((lane.concurrency * aheadMs) / averageMs);
      const ahead = lane.places.areShort() ? 0 : Math.min(MAX_AHEAD, likelyDone);
      const likely = Math.max(LEAST_CLAIM, 2 * lastTaken);
      const wanted = Math.min(MAX_CLAIM, likely, lane.concurrency + ahead - calling - waiting.length);
      const more = !exhausted && lane.mayClaim();
      if (more && !claiming && wanted > 0 && waiting.length <= ahead / 2) {
        claiming = true;
        const now = Math.min(wanted, Math.max(0, lane.concurrency - calling - waiting.length));
        claim(now, wanted - now).catch(reject);
      }
      if (exhausted && waiting.length === 0) lane.places.giveBack(Infinity);
      if (!more && !claiming && waiting.length === 0 && calling === 0) resolve(!exhausted);
    };
    step();
  });
}
