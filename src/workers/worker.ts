// The worker: Temporal's worker with our activities, the relay and the notifier beside it.
import type { NativeConnection } from '@temporalio/worker';
import { Runtime, Worker } from '@temporalio/worker';

import { createInFlight } from '../activities/in-flight.ts';
import { createActivities } from '../activities/index.ts';
import type { Config } from '../config.ts';
import { CANCEL_CHANNEL } from '../jobs/cancel.ts';
import { createHttpSender } from '../jobs/http/send.ts';
import type { Services } from '../services.ts';
import type { Logger } from '../telemetry/log.ts';
import { createAuditor } from './auditor.ts';
import { createNotifier } from './notifier.ts';
import { createRelay } from './relay.ts';
import { registerSearchAttributes } from './search-attributes.ts';

/** Enough to keep the processor busy; more would only be late together, past the time a task may take. */
const WORKFLOW_TASKS_AT_ONCE = 200;
const FORCE_AFTER_GRACE_MS = 5_000;

export interface RunningWorker {
  /** Takes no more work, lets what is under way end within the grace, then closes. */
  stop(): Promise<void>;
  /** Rejects when the worker fails for good. */
  failed: Promise<never>;
}

/** Once per process, before any worker: the SDK logs into our log, its metrics get a port of their own. */
export function installRuntime(log: Logger, { sdkMetricsPort }: Config): void {
  Runtime.install({
    // We stop the worker ourselves, after the API.
    shutdownSignals: [],
    logger: sdkLogger(log),
    telemetryOptions: {
      logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } },
      ...(sdkMetricsPort ? { metrics: { prometheus: { bindAddress: `127.0.0.1:${sdkMetricsPort}` } } } : {}),
    },
  });
}

export async function startWorker(
  config: Config,
  services: Services & { native: NativeConnection },
  workflowBundlePath: string,
): Promise<RunningWorker> {
  const { db, native, bell, log } = services;
  await registerSearchAttributes(native, config.temporalNamespace, log);
  const inFlight = createInFlight();
  const sender = createHttpSender({ getPolicy: services.getPolicy });
  const worker = await Worker.create({
    connection: native,
    namespace: config.temporalNamespace,
    taskQueue: config.taskQueue,
    identity: config.workerId,
    workflowBundle: { codePath: workflowBundlePath },
    activities: createActivities({ ...services, sender, inFlight, worker: config.workerId }),
    maxCachedWorkflows: config.workflowCacheSize,
    maxConcurrentActivityTaskExecutions: config.concurrency,
    maxConcurrentLocalActivityExecutions: WORKFLOW_TASKS_AT_ONCE,
    maxConcurrentWorkflowTaskExecutions: WORKFLOW_TASKS_AT_ONCE,
    shutdownGraceTime: config.shutdownGraceMs,
    shutdownForceTime: config.shutdownGraceMs + FORCE_AFTER_GRACE_MS,
  });
  const stopListening = db.listen(CANCEL_CHANNEL, (jobId) => {
    inFlight.abort(jobId);
    bell.ring(jobId);
  });
  const relay = createRelay(services);
  const auditor = createAuditor({ ...services, ...config });
  const notifier = createNotifier({ ...services, sender, smtpUrl: config.smtpUrl, mailFrom: config.mailFrom });
  const running = worker.run();
  return {
    failed: running.then(() => new Promise<never>(() => {})),
    async stop() {
      await Promise.all([relay.stop(), auditor.stop()]);
      inFlight.close();
      worker.shutdown();
      const cut = setTimeout(() => inFlight.abortAll(), config.shutdownGraceMs);
      await running;
      clearTimeout(cut);
      await notifier.stop();
      await stopListening();
      await sender.close();
    },
  };
}

function sdkLogger(log: Logger) {
  const write = (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') => (message: string, meta?: object) => {
    // `err` is the name under which pino knows how to write an error.
    const { error, ...rest } = (meta ?? {}) as { error?: unknown };
    log[level]({ ...rest, ...(error === undefined ? {} : { err: error }) }, message);
  };
  return {
    log: (level: string, message: string, meta?: object) =>
      write(level.toLowerCase() as 'trace' | 'debug' | 'info' | 'warn' | 'error')(message, meta),
    trace: write('trace'),
    debug: write('debug'),
    // The SDK's "info" is about its own machinery.
    info: write('debug'),
    warn: write('warn'),
    error: write('error'),
  };
}
