// What came of a lane's calls, written many at a time; each job is followed up only when its row is written.
import { log } from '@temporalio/activity';

import { currentTime } from '../clock.ts';
import type { CarriedJob } from '../db/carried.ts';
import type { Settled } from '../db/settle.ts';
import { type ClosedAttempt, closeLaneAttempts } from '../db/settle-many.ts';
import { reach } from '../failpoint.ts';
import type { Starter } from '../jobs/start.ts';
import { type CallOutcome, judge } from '../jobs/verdict.ts';
import { type AttemptDeps, patiently, summarize, WORKER_LOST } from './attempt.ts';
import { causeOf } from './measure.ts';

/** How long the first result waits for others: what a statement costs besides its rows is paid by many. */
const GATHER_MS = 25;
const MAX_ROWS = 250;

interface Result {
  job: CarriedJob;
  closed: ClosedAttempt;
}

/** Nobody else can do it: the store is waited for. */
export async function forever<T>(deps: Pick<AttemptDeps, 'inFlight'>, work: () => Promise<T[]>): Promise<T[]> {
  return (await patiently(deps, Infinity, work)) ?? [];
}

export type LaneResults = ReturnType<typeof createLaneResults>;

export function createLaneResults(deps: AttemptDeps & { starter: Starter }) {
  const { db, followUp, inFlight, metrics, starter } = deps;
  const results: Result[] = [];
  let done = 0;
  let writing: Promise<void> | null = null;

  const write = async (): Promise<void> => {
    while (results.length > 0) {
      if (results.length < MAX_ROWS) await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
      const rows = results.splice(0, MAX_ROWS);
      const settled = await close(rows);
      reach('lane.written');
      await followUpAll(rows, settled);
      done += rows.length;
    }
  };

  /** What the database refuses is found by halves: that one attempt stays open and ends as a lost one. */
  const close = async (rows: Result[]): Promise<Settled[]> => {
    const closed = rows.map((row) => row.closed);
    try {
      return await forever(deps, () => closeLaneAttempts(db, closed));
    } catch (error) {
      if (rows.length === 1) {
        log.error('a result could not be written', { jobId: rows[0]?.job.id, error });
        return [];
      }
      const middle = Math.ceil(rows.length / 2);
      return [...(await close(rows.slice(0, middle))), ...(await close(rows.slice(middle)))];
    }
  };

  const followUpAll = async (rows: Result[], settled: Settled[]): Promise<void> => {
    const byId = new Map(settled.map((row) => [row.id, row]));
    for (const { job, closed } of rows) {
      const row = byId.get(job.id);
      const { status, nextAttemptAt, deadLetter } = closed.verdict;
      // Canceled, or taken by others: what holds is in the row.
      if (!row) metrics.zombieWrites.inc();
      else if (status !== 'retrying') {
        // The end of the batch is looked at once, when the lane is empty.
        await followUp.finished(job.id, status, { ...row, batchId: null }, deadLetter?.reason ?? null);
      } else {
        metrics.retries.inc({ host: metrics.hostLabel(row.host), cause: causeOf(closed.verdict) });
        starter.startSoon({ ...job, scheduleId: null, nextAttemptAt });
      }
    }
  };

  return {
    add(job: CarriedJob, outcome: CallOutcome): void {
      const verdict = judge(job, outcome, currentTime());
      if (outcome !== WORKER_LOST) inFlight.count(verdict.status === 'succeeded');
      const closed = { attemptId: job.attemptId, jobId: job.id, outcome: summarize(outcome, verdict), verdict };
      results.push({ job, closed });
      writing ??= write().finally(() => (writing = null));
      // Whoever drains hears of a failure; until then nobody does.
      writing.catch(() => {});
    },
    waiting: () => results.length,
    done: () => done,
    async drain(): Promise<void> {
      while (writing !== null || results.length > 0) await (writing ??= write().finally(() => (writing = null)));
    },
  };
}
