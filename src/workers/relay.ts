// The safety net: starts what was accepted and not started, and settles what PostgreSQL and Temporal disagree on.
import type { Client } from '@temporalio/client';

import { currentMs, currentTime } from '../clock.ts';
import { overdueDependants } from '../db/dependencies.ts';
import type { JobRow } from '../db/jobs.ts';
import { type Database, StoreUnavailableError } from '../db/pool.ts';
import { LEAST_OF_A_TURN, openJobsAmong, overdueJobs, setCheck, takeDueChecks } from '../db/relay.ts';
import { finishJob } from '../db/settle.ts';
import type { CancelBatch } from '../jobs/batches/cancel.ts';
import type { BatchStarter } from '../jobs/batches/start.ts';
import { restartBulks } from '../jobs/bulk-redrive.ts';
import type { FollowUp } from '../jobs/follow-up.ts';
import type { CarrierStarter } from '../jobs/lanes/start.ts';
import type { Starter } from '../jobs/start.ts';
import { deadlineExceeded, draftDeadLetter } from '../jobs/verdict.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createCompare, nextLook } from './compare.ts';
import { createRelayBatches } from './relay-batches.ts';
import { createRelayRiders, isRider } from './relay-riders.ts';
import { createRelayRuns, type RelayRunDeps } from './relay-runs.ts';
import { createRelayStarts } from './relay-starts.ts';
import { repeat, type Repeated } from './repeat.ts';
import { isOnItsWay, runningAmong } from './running-workflows.ts';

const BATCH = 200;
const PARALLEL = 40;

export interface RelayDeps extends RelayRunDeps {
  db: Database;
  client: Client;
  taskQueue: string;
  starter: Starter;
  followUp: FollowUp;
  metrics: Metrics;
  log: Logger;
  batchStarter: BatchStarter;
  carrierStarter: CarrierStarter;
  cancelBatch: CancelBatch;
}

export function createRelay(deps: RelayDeps): { stop(): Promise<void> } {
  const { db, client, taskQueue, followUp, log } = deps;
  const compare = createCompare(deps);
  const relayRiders = createRelayRiders(deps);

  const relayDue = async (): Promise<boolean> => {
    if (!(await isTemporalUp(client))) return false;
    const due = await takeDueChecks(db, BATCH);
    const running = await runningAmong(client, due.filter(isOnItsWay));
    await setCheck(db, [...running], nextLook(), true);
    await relayRiders(due.filter(isRider));
    await eachOf(
      due.filter((job) => !running.has(job.id) && !isRider(job)),
      PARALLEL,
      compare,
    );
    // One tenant's part of a turn may be full where the turn is not.
    return due.length >= LEAST_OF_A_TURN;
  };

  const expire = async (): Promise<boolean> => {
    const late = await overdueJobs(db, BATCH);
    await eachOf(late, 5, (job) => expireJob(db, followUp, job));
    return late.length === BATCH;
  };

  const release = async (): Promise<boolean> => {
    await followUp.decideAll(await overdueDependants(db));
    return false;
  };

  /** Found by visibility, which may lag or forget: it only makes the repair quicker than the regular comparison. */
  const settleClosed = async (): Promise<boolean> => {
    const since = new Date(currentMs() - 120_000).toISOString();
    const query = `WorkflowType = 'httpJob' and ExecutionStatus in ('Terminated', 'TimedOut', 'Canceled') and CloseTime > '${since}'`;
    const ids: string[] = [];
    for await (const { workflowId } of client.workflow.list({ query, pageSize: 500 })) {
      if (ids.push(workflowId) >= 1_000) break;
    }
    if (ids.length === 0) return false;
    await eachOf(await openJobsAmong(db, ids), PARALLEL, compare);
    return false;
  };

  const startBulks = async (): Promise<boolean> => {
    await restartBulks(db, client, taskQueue);
    return false;
  };

  const onError = (name: string) => (error: unknown) => {
    const level = error instanceof StoreUnavailableError ? 'warn' : 'error';
    log[level]({ err: error }, `relay: ${name}`);
  };
  const starts = createRelayStarts({ db, client, start: compare, onError: onError('starts') });
  const loops: Repeated[] = [
    repeat(1_000, starts.startDue, onError('starts')),
    repeat(1_000, relayDue, onError('due checks')),
    repeat(2_000, expire, onError('deadlines')),
    repeat(2_000, release, onError('dependants')),
    repeat(15_000, settleClosed, onError('closed workflows')),
    repeat(1_000, createRelayBatches(deps), onError('batches')),
    ...createRelayRuns(deps).map(({ everyMs, name, work }) => repeat(everyMs, work, onError(name))),
    repeat(10_000, startBulks, onError('bulk operations')),
  ];
  return {
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
      await starts.drain();
    },
  };
}

async function expireJob(db: Database, followUp: FollowUp, job: JobRow): Promise<void> {
  const error = deadlineExceeded();
  const from = { id: job.id, tenant: job.tenant, from: ['scheduled', 'blocked', 'queued', 'retrying'] };
  const deadLetter = draftDeadLetter(job, 'deadlineExceeded', error);
  // Its workflow, if there is one, finds the job final and ends.
  const settled = await finishJob(db, from, { status: 'expired', error, deadLetter, checkAt: currentTime() });
  if (settled) await followUp.finished(job.id, 'expired', settled, 'deadlineExceeded');
}

export async function isTemporalUp(client: Client): Promise<boolean> {
  try {
    await client.withDeadline(Date.now() + 2_000, () => client.workflowService.getSystemInfo({}));
    return true;
  } catch {
    return false;
  }
}

export async function eachOf<T>(items: T[], parallel: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, lane));
}
