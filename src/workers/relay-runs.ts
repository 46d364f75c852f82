// The relay's part for runs: starts what was accepted and not started, tells what was not heard, settles what ended outside.
import type { Client } from '@temporalio/client';

import { currentMs, currentTime } from '../clock.ts';
import { isFinalRun, runError } from '../contract/run.ts';
import type { Database } from '../db/pool.ts';
import { finishRun } from '../db/run-finish.ts';
import { openRunsAmong, overdueRuns, setRunCheck, takeDueRuns, takeUnheardRuns } from '../db/run-relay.ts';
import { findRunOfAnyTenant, type RunRow } from '../db/runs.ts';
import { cancelWorkflow } from '../jobs/cancel.ts';
import { nudge } from '../jobs/runs/control.ts';
import { failureOf } from '../jobs/runs/failure.ts';
import type { RunFinished } from '../jobs/runs/finished.ts';
import type { RunStarter } from '../jobs/runs/start.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { nextLook, stateOf, type WorkflowState } from './compare.ts';
import { eachOf, isTemporalUp } from './relay.ts';

const BATCH = 100;
const PARALLEL = 20;

export interface RelayRunDeps {
  db: Database;
  client: Client;
  runStarter: RunStarter;
  runFinished: RunFinished;
  metrics: Metrics;
  log: Logger;
}

export function createRelayRuns(deps: RelayRunDeps) {
  const { db, client, runStarter, metrics, log } = deps;

  const compareDue = async (): Promise<boolean> => {
    if (!(await isTemporalUp(client))) return false;
    const due = await takeDueRuns(db, BATCH);
    await eachOf(due, PARALLEL, compare);
    return due.length === BATCH;
  };

  const compare = async (run: RunRow): Promise<void> => {
    try {
      if (isFinalRun(run.status)) {
        await cancelWorkflow(client, run.id);
        return await setRunCheck(db, run.id, null, true);
      }
      if (!run.seenInTemporal) return await startLost(run);
      const state = await stateOf(client, run.id);
      if (state === 'running') return await setRunCheck(db, run.id, nextLook(), true);
      metrics.relayRepairs.inc({ reason: state });
      log.warn({ runId: run.id, state }, 'relay: the workflow ended without its run');
      await endOutside(deps, run, state);
    } catch (error) {
      log.warn({ runId: run.id, err: error }, 'relay: comparison of a run put off');
      await setRunCheck(db, run.id, new Date(currentMs() + 2_000), false);
    }
  };

  /** Starting is idempotent: the workflow's id is the run's. A step of a run is started by that run, while it lives. */
  const startLost = async (run: RunRow): Promise<void> => {
    if (run.parentRunId !== null) {
      const parent = await findRunOfAnyTenant(db, run.parentRunId);
      if (parent && !isFinalRun(parent.status)) return setRunCheck(db, run.id, nextLook(), false);
      return endOutside(deps, run, 'canceled');
    }
    const exists = await runStarter.start(run);
    if (exists) metrics.relayStarts.inc();
    await setRunCheck(db, run.id, exists ? nextLook() : new Date(currentMs() + 1_000), exists);
  };

  /** Found by visibility, which may lag: it only makes the repair quicker. */
  const settleClosed = async (): Promise<boolean> => {
    const since = new Date(currentMs() - 120_000).toISOString();
    const query = `WorkflowType = 'workflowRun' and ExecutionStatus in ('Terminated', 'TimedOut', 'Canceled') and CloseTime > '${since}'`;
    const ids: string[] = [];
    for await (const { workflowId } of client.workflow.list({ query, pageSize: 500 })) {
      if (ids.push(workflowId) >= 500) break;
    }
    if (ids.length > 0) await eachOf(await openRunsAmong(db, ids), PARALLEL, compare);
    return false;
  };

  const tell = async (): Promise<boolean> => {
    const unheard = await takeUnheardRuns(db, BATCH);
    await eachOf(unheard, PARALLEL, (id) =>
      nudge(client, id).catch((error: unknown) => log.warn({ runId: id, err: error }, 'relay: run not told')),
    );
    return unheard.length === BATCH;
  };

  const expire = async (): Promise<boolean> => {
    const late = await overdueRuns(db, BATCH);
    await eachOf(late, PARALLEL, (run) => expireRun(deps, run));
    return late.length === BATCH;
  };

  return [
    { everyMs: 1_000, name: 'due runs', work: compareDue },
    { everyMs: 2_000, name: 'runs not told', work: tell },
    { everyMs: 2_000, name: 'deadlines of runs', work: expire },
    { everyMs: 15_000, name: 'closed runs', work: settleClosed },
  ];
}

async function endOutside({ db, runFinished }: RelayRunDeps, run: RunRow, state: WorkflowState): Promise<void> {
  const isCanceled = state === 'canceled';
  const error = isCanceled
    ? runError('canceled', 'The run was canceled')
    : runError(
        'terminatedExternally',
        'The run was ended from outside',
        'Its workflow ended in Temporal before the run.',
      );
  const failure = isCanceled ? { error, deadLetter: null } : await failureOf(db, run, null, error);
  const status = isCanceled ? 'canceled' : 'failed';
  const settled = await finishRun(db, run, { status, output: null, ...failure, checkAt: null });
  if (settled) await runFinished(run.id, status, settled, failure.deadLetter?.reason ?? null);
}

/** Its workflow, if there is one, is canceled with the next comparison. */
async function expireRun({ db, runFinished }: RelayRunDeps, run: RunRow): Promise<void> {
  const error = runError('deadlineExceeded', 'The deadline has passed');
  const failure = await failureOf(db, run, null, error);
  const settled = await finishRun(db, run, { status: 'expired', output: null, ...failure, checkAt: currentTime() });
  if (settled) await runFinished(run.id, 'expired', settled, failure.deadLetter.reason);
}
