// Puts the parts together: what the API and the workers share, built once per process and closed in reverse.
import { Client, Connection, type ConnectionLike } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnection } from '@temporalio/worker';

import type { AuthSettings } from './auth-settings.ts';
import { startClock } from './clock.ts';
import type { Config } from './config.ts';
import { createGroupWrites, type GroupWrites } from './db/group-writes.ts';
import { markSeenInTemporal, type NewJob } from './db/jobs.ts';
import { createDatabase, type Database } from './db/pool.ts';
import { type AcceptJob, createAccept } from './jobs/accept.ts';
import { type AcceptBatch, createAcceptBatch } from './jobs/batches/accept.ts';
import { type CancelBatch, createCancelBatch } from './jobs/batches/cancel.ts';
import { type BatchStarter, createBatchStarter } from './jobs/batches/start.ts';
import { type Bell, createBell } from './jobs/bell.ts';
import { type CancelJob, createCancel } from './jobs/cancel.ts';
import { createEagerStarts, type EagerStarts } from './jobs/eager-starts.ts';
import { createEventHub, type EventHub } from './jobs/events/hub.ts';
import { createFollowUp, type FollowUp } from './jobs/follow-up.ts';
import type { EgressPolicy } from './jobs/http/egress.ts';
import { createOperatorFetch, type OperatorFetch } from './jobs/http/operator-fetch.ts';
import { type Carriers, createCarriers } from './jobs/lanes/carriers.ts';
import { type CarrierStarter, createCarrierStarter } from './jobs/lanes/start.ts';
import { createQuotas, type Quotas } from './jobs/quotas.ts';
import { createRedrive, type Redrive } from './jobs/redrive.ts';
import { createRedriveLetter, type RedriveLetter } from './jobs/runs/redrive-letter.ts';
import { createRunServices, type RunServices } from './jobs/runs/run-services.ts';
import { newRunView } from './jobs/runs/view.ts';
import { createFire, type Fire } from './jobs/schedules/fire.ts';
import { createSchedules, type Schedules } from './jobs/schedules/schedules.ts';
import { createTemporalSchedules, type TemporalSchedules } from './jobs/schedules/temporal-schedule.ts';
import { createSecretServices, dataConverterOf, type SecretServices } from './jobs/secrets/service.ts';
import { createSettings, type Settings } from './jobs/settings/settings.ts';
import { createStarter, type Starter } from './jobs/start.ts';
import { jobView, type ViewOptions } from './jobs/view.ts';
import { createWait, type WaitUntilFinal } from './jobs/wait.ts';
import type { Logger } from './telemetry/log.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';
import { measurePool } from './telemetry/process-metrics.ts';

export interface Services extends RunServices, SecretServices {
  db: Database;
  writes: GroupWrites;
  connection: ConnectionLike;
  /** Shared with the worker, so that a workflow started here may run its first task here at once. */
  native: NativeConnection | null;
  client: Client;
  eagerStarts: EagerStarts;
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
  carrierStarter: CarrierStarter;
  followUp: FollowUp;
  fire: Fire;
  schedules: Schedules;
  temporalSchedules: TemporalSchedules;
  quotas: Quotas;
  waitUntilFinal: WaitUntilFinal;
  releaseWaiters: () => void;
  settings: Settings;
  events: EventHub;
  getPolicy: () => EgressPolicy;
  auth: AuthSettings | null;
  trustProxyHops: number;
  codecOrigin: string | null;
  operatorFetch: OperatorFetch;
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
  if (config.auth) await isolateTenants(db, log);
  const stopClock = await startClock(db, {
    onWrong: (aheadMs) =>
      log.warn({ aheadMs }, 'the clock of this machine is wrong: it is set by that of PostgreSQL here'),
    onError: (error) => log.warn({ err: error }, 'the clock was not compared with that of PostgreSQL'),
  });
  const settings = createSettings({ db, environment: config.settingsEnvironment, log });
  await settings.load();
  settings.onChange(({ logLevel }) => (log.level = logLevel));
  const { connection, native } = await connect(addresses.temporalAddress, withWorker);
  const secrets = createSecretServices({ ...config, db, namespace: config.temporalNamespace });
  const { sealer, redaction } = secrets;
  const isEncrypted = secrets.payloadCodec !== null;
  const dataConverter = dataConverterOf(secrets);
  const eagerStarts = createEagerStarts();
  const client = new Client({
    connection,
    namespace: config.temporalNamespace,
    interceptors: { workflow: [eagerStarts.interceptor] },
    ...(dataConverter ? { dataConverter } : {}),
  });
  const writes = createGroupWrites(db);
  const metrics = createMetrics();
  measurePool(metrics.registry, db.stats, config.dbPoolSize);
  const bell = createBell();
  const view = { temporalUiUrl: addresses.temporalUiUrl, namespace: config.temporalNamespace, redaction };
  const renderAnswer = (job: NewJob) => JSON.stringify(jobView(job, view));
  const getPolicy = () => settings.current().policy;
  const starter = createStarter({
    client,
    taskQueue: config.taskQueue,
    isEncrypted,
    log,
    // A job that waits is not looked at before its time: that its workflow exists must be known by then.
    onStarted: async (job) => {
      if (job.runAt) await markSeenInTemporal(db, [job.id]);
    },
  });
  const followUp = createFollowUp({ db, starter, metrics, bell, log });
  const cancel = createCancel({ db, client, followUp, log });
  const temporalSchedules = createTemporalSchedules({ db, client, taskQueue: config.taskQueue, isEncrypted });
  const runs = createRunServices({
    db,
    client,
    taskQueue: config.taskQueue,
    bell,
    metrics,
    followUp,
    sealer,
    isEncrypted,
    getPolicy,
    view,
    log,
  });
  const redrive = createRedrive({ db, starter, metrics, sealer, getPolicy, renderAnswer });
  const operatorFetch = createOperatorFetch();
  const { waitUntilFinal, release } = createWait({ db, bell });
  const events = createEventHub({ db, log });
  const batchStarter = createBatchStarter({ db, client, taskQueue: config.taskQueue });
  const carrierStarter = createCarrierStarter({ client, taskQueue: config.taskQueue, log });
  const carriers: Carriers = createCarriers({
    start: async (id, rider) => void (await carrierStarter.start(id, rider)),
  });
  return {
    db,
    writes,
    connection,
    native,
    client,
    eagerStarts,
    taskQueue: config.taskQueue,
    metrics,
    log,
    bell,
    starter,
    accept: createAccept({ db, writes, starter, carriers, metrics, sealer, renderAnswer }),
    cancel,
    redrive,
    redriveLetter: createRedriveLetter({ db, redrive, redriveRun: runs.redriveRun }),
    acceptBatch: createAcceptBatch({ db, starter, batchStarter, metrics, sealer, log, view }),
    cancelBatch: createCancelBatch({ db, followUp }),
    batchStarter,
    carrierStarter,
    followUp,
    ...runs,
    ...secrets,
    fire: createFire({
      ...{ db, starter, runStarter: runs.runStarter, metrics },
      ...{ cancel, cancelRun: runs.runControls.cancel },
    }),
    schedules: createSchedules({
      ...{ db, starter, runStarter: runs.runStarter, metrics, bell, sealer, renderJob: renderAnswer },
      renderRun: (run, definition) => JSON.stringify(newRunView(run, definition, view)),
    }),
    temporalSchedules,
    quotas: createQuotas({ db, defaults: config.quota, log }),
    waitUntilFinal,
    releaseWaiters() {
      release();
      events.close();
    },
    settings,
    events,
    getPolicy,
    auth: config.auth,
    trustProxyHops: config.trustProxyHops,
    codecOrigin: config.codecOrigin,
    operatorFetch,
    view,
    async close() {
      settings.stop();
      stopClock();
      await operatorFetch.close();
      await carriers.drain();
      await starter.drain();
      await runs.runStarter.drain();
      await connection.close();
      await db.close();
    },
  };
}

/** The second wall: without it tenants are kept apart by the conditions of our statements alone. */
async function isolateTenants(db: Database, log: Logger): Promise<void> {
  const whyNot = await db.isolateTenants();
  if (whyNot !== null) log.warn({ whyNot }, 'no row-level security between tenants: see docs/decisions/tenancy.md');
}

/** By default the pauses between attempts grow to two minutes: after an outage Temporal would long be back without us. */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 500, 'grpc.max_reconnect_backoff_ms': 2_000 };

async function connect(
  address: string | undefined,
  withWorker: boolean,
): Promise<{ connection: ConnectionLike & { close(): Promise<void> }; native: NativeConnection | null }> {
  const { connectionOptions } = loadClientConnectConfig();
  const options = { ...connectionOptions, address: address ?? connectionOptions.address };
  if (!withWorker) return { connection: Connection.lazy({ ...options, channelArgs: RECONNECT }), native: null };
  // An API alone would load all of the worker for it.
  const { NativeConnection } = await import('@temporalio/worker');
  const native = await NativeConnection.connect(options);
  return { connection: native, native };
}
