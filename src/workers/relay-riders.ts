// The relay for the shared lane: a carrier that was not started is, and who rides in one that has ended goes on alone.
import { summarize, WORKER_LOST } from '../activities/attempt.ts';
import { currentMs, currentTime } from '../clock.ts';
import { carrierWorkflow } from '../contract/temporal.ts';
import type { JobRow } from '../db/jobs.ts';
import { setCheck } from '../db/relay.ts';
import { leaveCarrier, lostRiders } from '../db/riders.ts';
import { closeLaneAttempts } from '../db/settle-many.ts';
import { reach } from '../failpoint.ts';
import { judge } from '../jobs/verdict.ts';
import { nextLook, stateOf } from './compare.ts';
import type { RelayDeps } from './relay.ts';

/** Longer than any call that is carried may take, and than a worker takes to hear that its carrier has ended. */
const LOST_AFTER_MS = 75_000;
const LOOK_AGAIN_MS = 5_000;

/** Open jobs that a carrier of single jobs makes the first attempt of; a batch looks after its own. */
export function isRider({ carrier, batchId, finishedAt }: JobRow): boolean {
  return carrier !== null && batchId === null && finishedAt === null;
}

export function createRelayRiders(deps: RelayDeps) {
  const { db, client, starter, carrierStarter, followUp, metrics, log } = deps;

  const relay = async (workflowId: string, riders: JobRow[]): Promise<void> => {
    const ids = riders.map(({ id }) => id);
    const state = await stateOf(client, workflowId);
    if (state === 'running') return setCheck(db, ids, nextLook(), false);
    await setCheck(db, ids, new Date(currentMs() + LOOK_AGAIN_MS), false);
    const [first] = riders;
    if (state === 'absent' && first && riders.some(({ status }) => status === 'queued')) {
      if (await carrierStarter.start(workflowId, first)) metrics.relayStarts.inc();
      return;
    }
    metrics.relayRepairs.inc({ reason: state });
    log.warn({ carrierId: workflowId, state, riders: ids.length }, 'relay: a carrier ended before its jobs');
    const left = await leaveCarrier(db, ids);
    if (left.length > 0) reach('rider.left');
    for (const job of left) starter.startSoon(job);
    await settleLost(ids);
  };

  /** As a lane does that finds an attempt of an earlier one: whoever made the call did not live to tell. */
  const settleLost = async (ids: string[]): Promise<void> => {
    for (const job of await lostRiders(db, ids, LOST_AFTER_MS)) {
      const verdict = judge(job, WORKER_LOST, currentTime());
      const outcome = summarize(WORKER_LOST, verdict);
      const [settled] = await closeLaneAttempts(db, [{ attemptId: job.attemptId, jobId: job.id, outcome, verdict }]);
      if (!settled) continue;
      metrics.lostAttempts.inc();
      const { status, nextAttemptAt, deadLetter } = verdict;
      if (status === 'retrying') starter.startSoon({ ...job, scheduleId: null, nextAttemptAt });
      else await followUp.finished(job.id, status, settled, deadLetter?.reason ?? null);
    }
  };

  return async function relayRiders(jobs: JobRow[]): Promise<void> {
    const carriers = new Map<string, JobRow[]>();
    for (const job of jobs) {
      const workflowId = carrierWorkflow(job.carrier ?? '');
      carriers.set(workflowId, [...(carriers.get(workflowId) ?? []), job]);
    }
    for (const [workflowId, riders] of carriers) {
      await relay(workflowId, riders).catch((error: unknown) => {
        log.warn({ carrierId: workflowId, err: error }, 'relay: a carrier put off');
      });
    }
  };
}
