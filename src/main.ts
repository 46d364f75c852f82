// The one entry: `start` (everything), `api`, `worker` or `migrate`, started and stopped as a list of closers.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createApp } from './api/app.ts';
import { listen } from './api/server.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { assertSchemaVersion, migrate } from './db/migrate.ts';
import type { Database } from './db/pool.ts';
import { createServices } from './services.ts';
import { startStack } from './stack/index.ts';
import { createLog, type Logger, say } from './telemetry/log.ts';
import { installRuntime, startWorker } from './workers/worker.ts';

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
    const failed = await start(role, readConfig(), closers);
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

/** Resolves when everything runs; `promise` then rejects when something that must not end has ended. */
async function start(role: Role, config: Config, closers: Closer[]): Promise<{ promise: Promise<never> } | null> {
  const log = createLog(config.logLevel);
  if (role !== 'start' && !config.databaseUrl) {
    throw new ConfigError(`DATABASE_URL: "${role}" needs the PostgreSQL to use; only "start" brings one along.`);
  }
  const withWorker = role === 'start' || role === 'worker';
  if (withWorker) installRuntime(log, config);
  let fail: (error: Error) => void = () => {};
  const broken = new Promise<never>((_resolve, reject) => (fail = reject));
  const stack = await startStack({
    ...config,
    // A role of its own serves a Temporal that someone else runs.
    temporalAddress: config.temporalAddress ?? (role === 'start' ? undefined : DEFAULT_TEMPORAL_ADDRESS),
    postgresPort: config.postgresPort || undefined,
    onProgress: say,
    onUnexpectedExit: (message) => fail(new Error(message)),
  });
  closers.push(stack.stop);
  if (role === 'start' || role === 'migrate') await migrate(stack.databaseUrl);
  if (role === 'migrate') return null;

  const addresses = { ...stack, temporalUiUrl: config.temporalUiUrl ?? stack.temporalUiUrl };
  const services = await createServices(config, addresses, log, { withWorker });
  closers.push(services.close);
  await assertSchemaVersion(services.db);
  await warnIfForgetful(services.db, log);

  const failures: Promise<never>[] = [broken];
  if (services.native) {
    const worker = await startWorker(config, { ...services, native: services.native }, workflowBundlePath());
    closers.push(worker.stop);
    failures.push(worker.failed);
  }
  if (role !== 'worker') {
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
  const promise = Promise.race(failures);
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
  { host, port: asked, sdkMetricsPort }: Config,
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
    `  Metrics      ${origin}/metrics${sdkMetricsPort ? ` and http://127.0.0.1:${sdkMetricsPort}/metrics` : ''}`,
    ...(dataDir ? [`  Data         ${dataDir}`] : []),
    '  Stop with Ctrl-C',
  ].join('\n');
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

const role = process.argv[2] ?? 'start';
if (!ROLES.includes(role as Role)) {
  process.stderr.write(`Unknown role "${role}". Use one of: ${ROLES.join(', ')}.\n`);
  process.exit(2);
}
run(role as Role).then(
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
