// Puts the parts together: what the API and the workers share, built once per process and closed in reverse.
import { Client, Connection, type ConnectionLike } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';

import type { Config } from './config.ts';
import { markSeenInTemporal, type NewJob } from './db/jobs.ts';
import { createDatabase, type Database } from './db/pool.ts';
import { type AcceptJob, createAccept } from './jobs/accept.ts';
import { type AcceptBatch, createAcceptBatch } from './jobs/batches/accept.ts';
import { type CancelBatch, createCancelBatch } from './jobs/batches/cancel.ts';
import { type BatchStarter, createBatchStarter } from './jobs/batches/start.ts';
import { type Bell, createBell } from './jobs/bell.ts';
import { type CancelJob, createCancel } from './jobs/cancel.ts';
import { createFollowUp, type FollowUp } from './jobs/follow-up.ts';
import { type EgressPolicy, parseEgress } from './jobs/http/egress.ts';
import { createRedrive, type Redrive } from './jobs/redrive.ts';
import { createRedriveLetter, type RedriveLetter } from './jobs/runs/redrive-letter.ts';
import { createRunServices, type RunServices } from './jobs/runs/run-services.ts';
import { newRunView } from './jobs/runs/view.ts';
import { createFire, type Fire } from './jobs/schedules/fire.ts';
import { createSchedules, type Schedules } from './jobs/schedules/schedules.ts';
import { createTemporalSchedules, type TemporalSchedules } from './jobs/schedules/temporal-schedule.ts';
import { createStarter, type Starter } from './jobs/start.ts';
import { newJobView, type ViewOptions } from './jobs/view.ts';
import { createWait, type WaitUntilFinal } from './jobs/wait.ts';
import type { Logger } from './telemetry/log.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';

export interface Services extends RunServices {
  db: Database;
  connection: ConnectionLike;
  /** Shared with the worker, so that a workflow started here may run its first task here at once. */
  native: NativeConnection | null;
  client: Client;
  taskQueue: string;
  metrics: Metrics;
  log: Logger;
  bell: Bell;
  starter: Starter;
  accept: AcceptJob;
  cancel: CancelJob;
  redrive: Redrive;
  redriveLetter: RedriveLetter;
  acceptBatch: AcceptBatch;
  cancelBatch: CancelBatch;
  batchStarter: BatchStarter;
  followUp: FollowUp;
  fire: Fire;
  schedules: Schedules;
  temporalSchedules: TemporalSchedules;
  waitUntilFinal: WaitUntilFinal;
  releaseWaiters: () => void;
  getPolicy: () => EgressPolicy;
  view: ViewOptions;
  close(): Promise<void>;
}

export interface Addresses {
  databaseUrl: string;
  temporalAddress: string | undefined;
  temporalUiUrl: string | null;
}

export async function createServices(
  config: Config,
  addresses: Addresses,
  log: Logger,
  { withWorker }: { withWorker: boolean },
): Promise<Services> {
  const db = createDatabase({
    databaseUrl: addresses.databaseUrl,
    poolSize: config.dbPoolSize,
    onError: (error) => log.warn({ err: error }, 'database connection'),
  });
  const { connection, native } = await connect(addresses.temporalAddress, withWorker);
  const client = new Client({ connection, namespace: config.temporalNamespace });
  const metrics = createMetrics();
  const bell = createBell();
  const view = { temporalUiUrl: addresses.temporalUiUrl, namespace: config.temporalNamespace };
  const renderAnswer = (job: NewJob) => JSON.stringify(newJobView(job, view));
  const policy = parseEgress(config.egress);
  const getPolicy = () => policy;
  const starter = createStarter({
    client,
    taskQueue: config.taskQueue,
    log,
    // A job that waits is not looked at before its time: that its workflow exists must be known by then.
    onStarted: async (job) => {
      if (job.runAt) await markSeenInTemporal(db, [job.id]);
    },
  });
  const followUp = createFollowUp({ db, starter, metrics, bell, log });
  const cancel = createCancel({ db, client, followUp, log });
  const temporalSchedules = createTemporalSchedules({ db, client, taskQueue: config.taskQueue });
  const runs = createRunServices({
    db,
    client,
    taskQueue: config.taskQueue,
    bell,
    metrics,
    followUp,
    getPolicy,
    view,
    log,
  });
  const redrive = createRedrive({ db, starter, metrics, getPolicy, renderAnswer });
  const { waitUntilFinal, release } = createWait({ db, bell });
  const batchStarter = createBatchStarter({ db, client, taskQueue: config.taskQueue });
  return {
    db,
    connection,
    native,
    client,
    taskQueue: config.taskQueue,
    metrics,
    log,
    bell,
    starter,
    accept: createAccept({ db, starter, metrics, renderAnswer }),
    cancel,
    redrive,
    redriveLetter: createRedriveLetter({ db, redrive, redriveRun: runs.redriveRun }),
    acceptBatch: createAcceptBatch({ db, starter, batchStarter, metrics, log, view }),
    cancelBatch: createCancelBatch({ db, followUp }),
    batchStarter,
    followUp,
    ...runs,
    fire: createFire({
      ...{ db, starter, runStarter: runs.runStarter, metrics },
      ...{ cancel, cancelRun: runs.runControls.cancel },
    }),
    schedules: createSchedules({
      ...{ db, starter, runStarter: runs.runStarter, metrics, bell, renderJob: renderAnswer },
      renderRun: (run, definition) => JSON.stringify(newRunView(run, definition, view)),
    }),
    temporalSchedules,
    waitUntilFinal,
    releaseWaiters: release,
    getPolicy,
    view,
    async close() {
      await starter.drain();
      await runs.runStarter.drain();
      await connection.close();
      await db.close();
    },
  };
}

async function connect(
  address: string | undefined,
  withWorker: boolean,
): Promise<{ connection: ConnectionLike & { close(): Promise<void> }; native: NativeConnection | null }> {
  const { connectionOptions } = loadClientConnectConfig();
  const options = { ...connectionOptions, address: address ?? connectionOptions.address };
  if (!withWorker) return { connection: Connection.lazy(options), native: null };
  const native = await NativeConnection.connect(options);
  return { connection: native, native };
}
