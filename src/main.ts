// The one entry: `start` (everything), `api`, `worker` or `migrate`, started and stopped as a list of closers; `api-key`.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createApp } from './api/app.ts';
import { serveProbes } from './api/probe-app.ts';
import { listen } from './api/server.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { assertSchemaVersion, migrate } from './db/migrate.ts';
import type { Database } from './db/pool.ts';
import { registerQueue } from './db/queues.ts';
import { readStoreState } from './db/store-state.ts';
import { armFailpoints } from './failpoint.ts';
import { createQueueStats } from './jobs/fleet/queue-stats.ts';
import { readFleet } from './jobs/fleet/read-fleet.ts';
import { type MasterKey, parseMasterKeys } from './jobs/secrets/keyring.ts';
import { createServices, type Services } from './services.ts';
import { startStack } from './stack/index.ts';
import { ensureMasterKey } from './stack/master-key.ts';
import { freePort } from './stack/ports.ts';
import { measureFleet } from './telemetry/fleet-metrics.ts';
import { createLog, type Logger, say } from './telemetry/log.ts';
import { measureState } from './telemetry/state-metrics.ts';
import { startTracing } from './telemetry/tracing.ts';

const ROLES = ['start', 'api', 'worker', 'migrate'] as const;
type Role = (typeof ROLES)[number];

/** Longer than the API's own answers take; `?wait` requests are answered at once. */
const API_GRACE_MS = 5_000;

/** As for every tool of Temporal's. */
const DEFAULT_TEMPORAL_ADDRESS = 'localhost:7233';

type Closer = () => Promise<void>;

async function run(role: Role): Promise<void> {
  const closers: Closer[] = [];
  const stop = createStop(closers);
  const stopping = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    if (process.env.npm_lifecycle_event === 'start') onOrphaned(resolve);
  });
  try {
    // A start is never left half-way: a signal that comes during it is obeyed when it has ended.
    const failed = await start(role, await withMetricsPorts(role, readConfig()), closers);
    if (failed) await Promise.race([stopping, failed.promise]);
  } finally {
    await stop();
  }
}

/** npm runs us through a shell that takes a SIGTERM for itself and leaves us behind. */
function onOrphaned(callback: () => void): void {
  const { ppid } = process;
  const timer = setInterval(() => {
    if (process.ppid === ppid) return;
    clearInterval(timer);
    callback();
  }, 250);
  timer.unref();
}

/** The embedded stack shows all there is to see, wherever there is room; a role of its own shows what it is told to. */
async function withMetricsPorts(role: Role, config: Config): Promise<Config> {
  const ownTemporal = role === 'start' && !config.temporalAddress;
  const any = async (wanted: boolean) => (wanted ? freePort() : 0);
  return {
    ...config,
    sdkMetricsPort: config.sdkMetricsPort ?? (await any(role === 'start')),
    temporalMetricsPort: ownTemporal ? (config.temporalMetricsPort ?? (await any(true))) : 0,
  };
}

/** Resolves when everything runs; `promise` then rejects when something that must not end has ended, and resolves when
 * the process has nothing left to do. */
async function start(role: Role, config: Config, closers: Closer[]): Promise<{ promise: Promise<void> } | null> {
  const log = createLog(config.logLevel);
  armFailpoints(config.failpoints);
  if (role !== 'start' && !config.databaseUrl) {
    throw new ConfigError(`DATABASE_URL: "${role}" needs the PostgreSQL to use; only "start" brings one along.`);
  }
  const withWorker = role === 'start' || role === 'worker';
  closers.push(await startTracing(config.otlpEndpoint, role));
  // A third as much again to load, and an API alone needs none of it.
  const workers = withWorker ? await import('./workers/worker.ts') : null;
  workers?.installRuntime(log, config);
  let fail: (error: Error) => void = () => {};
  const broken = new Promise<never>((_resolve, reject) => (fail = reject));
  const stack = await startStack({
    ...config,
    // A role of its own serves a Temporal that someone else runs.
    temporalAddress: config.temporalAddress ?? (role === 'start' ? undefined : DEFAULT_TEMPORAL_ADDRESS),
    postgresPort: config.postgresPort || undefined,
    temporalMetricsPort: config.temporalMetricsPort || undefined,
    onProgress: say,
    onUnexpectedExit: (message) => fail(new Error(message)),
  });
  closers.push(stack.stop);
  if (role === 'start' || role === 'migrate') await migrate(stack.databaseUrl);
  if (role === 'migrate') return null;

  const addresses = { ...stack, temporalUiUrl: config.temporalUiUrl ?? stack.temporalUiUrl };
  const masterKeys = config.databaseUrl ? config.masterKeys : withOwnKey(config.masterKeys, stack.dataDir);
  const services = await createServices({ ...config, masterKeys }, addresses, log, { withWorker });
  closers.push(services.close);
  await assertSchemaVersion(services.db);
  await warnIfForgetful(services.db, log);
  closers.push(rotateSecrets(services, log));

  const ends: Promise<void>[] = [broken];
  if (workers && services.native) {
    const worker = await workers.startWorker(config, { ...services, native: services.native }, workflowBundlePath(), {
      roles: role === 'start' ? ['api', 'worker'] : ['worker'],
    });
    closers.push(worker.stop);
    ends.push(worker.failed);
    // Drained, a worker of its own is done; beside the API it is the API that stays.
    if (role === 'worker') ends.push(worker.drained);
    if (role === 'worker' && config.workerPort !== 0) {
      const probes = await serveProbes(services, { host: config.metricsHost, port: config.workerPort });
      // It answers until the worker has ended: who watches sees it drain.
      closers.splice(-1, 0, probes.close);
      closers.push(async () => probes.drain());
    }
  }
  if (role !== 'worker') {
    measureState(services.metrics, () => readStoreState(services.db));
    // Beside a worker that is done, and the store may be slow to answer while the worker begins.
    if (role === 'api') await registerQueue(services.db, config.taskQueue);
    const statsOf = createQueueStats(services);
    measureFleet(services.metrics, () => readFleet(services.db, statsOf));
    let draining = false;
    const app = createApp({ ...services, isDraining: () => draining });
    const server = await listen(app, config);
    closers.push(async () => {
      draining = true;
      services.releaseWaiters();
      await server.stop(API_GRACE_MS);
    });
    say(banner(config, server.port, addresses.temporalUiUrl, stack.dataDir));
  } else {
    say(`Perdure worker ${config.workerId} is ready`);
  }
  const promise = Promise.race(ends);
  // Heard by whoever awaits it; until then its rejection is not unhandled.
  promise.catch(() => {});
  return { promise };
}

/** Runs the closers last to first, each whether or not the one before failed; a second signal ends the process at once. */
function createStop(closers: Closer[]): () => Promise<void> {
  return async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
    for (const close of closers.splice(0).reverse()) {
      await close().catch((error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
        process.exitCode = 1;
      });
    }
  };
}

function banner(
  { host, port: asked, sdkMetricsPort, temporalMetricsPort, metricsHost }: Config,
  port: number,
  ui: string | null,
  dataDir: string | null,
): string {
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${asked || port}`;
  return [
    'Perdure is ready',
    `  API          ${origin}/v1`,
    `  Docs         ${origin}/docs`,
    ...(ui ? [`  Temporal UI  ${ui}`] : []),
    `  Metrics      ${origin}/metrics`,
    ...(sdkMetricsPort ? [`    of workers   http://${metricsHost}:${sdkMetricsPort}/metrics`] : []),
    ...(temporalMetricsPort ? [`    of Temporal  http://127.0.0.1:${temporalMetricsPort}/metrics`] : []),
    ...(dataDir ? [`  Data         ${dataDir}`] : []),
    '  Stop with Ctrl-C',
  ].join('\n');
}

/** The key of the data folder, also behind keys that were given later: what it encrypted is still there. */
function withOwnKey(given: MasterKey[], dataDir: string | null): MasterKey[] {
  return dataDir === null ? given : [...given, ...parseMasterKeys(ensureMasterKey(dataDir))];
}

/** In the background, once per start: what is encrypted under an older key comes under the current one. */
function rotateSecrets({ secrets, hasMasterKey }: Services, log: Logger): Closer {
  if (!hasMasterKey) {
    log.warn(
      'PERDURE_MASTER_KEY is not set: no secrets can be kept, and sensitive headers are stored as they are sent',
    );
    return async () => {};
  }
  const rotating = secrets.rotate().then(
    ({ rotated, unreadable }) => {
      if (rotated > 0) log.info({ rotated }, 'secrets encrypted under the current master key');
      if (unreadable > 0) log.error({ unreadable }, 'secrets cannot be read: their master key is not given');
    },
    (error: unknown) => log.error({ err: error }, 'secrets not rotated; the next start will'),
  );
  return () => rotating;
}

/** "Accepted means kept" needs a store that writes before it says yes. */
async function warnIfForgetful(db: Database, log: Logger): Promise<void> {
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    const [row] = await db.query<{ value: string }>('select current_setting($1) as value', [setting]);
    if (row?.value === 'off') {
      log.warn({ setting }, 'PostgreSQL may lose accepted jobs in a crash: this setting is off');
    }
  }
}

/** Built into dist/, wherever this file runs from. */
function workflowBundlePath(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const beside = join(here, 'workflow-bundle.js');
  return existsSync(beside) ? beside : join(here, '..', 'dist', 'workflow-bundle.js');
}

async function runApiKeys(args: string[]): Promise<void> {
  const { runApiKeyCommand } = await import('./api-key-command.ts');
  say(JSON.stringify(await runApiKeyCommand(args, readConfig())));
}

const [role = 'start', ...args] = process.argv.slice(2);
if (!ROLES.includes(role as Role) && role !== 'api-key') {
  process.stderr.write(`Unknown role "${role}". Use one of: ${ROLES.join(', ')}, api-key.\n`);
  process.exit(2);
}
(role === 'api-key' ? runApiKeys(args) : run(role as Role)).then(
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
