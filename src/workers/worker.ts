// The worker: Temporal's worker with our activities as far as it may take work, the relay and the notifier beside it.
//
// It serves, is paused (by an order to it or to its queue), drains (by an order, or because its process ends) and is
// drained. Paused, only what takes work stops: what keeps PostgreSQL and Temporal in agreement goes on.
import { setTimeout as sleep } from 'node:timers/promises';

import type { NativeConnection } from '@temporalio/worker';
import { Runtime } from '@temporalio/worker';

import { createInFlight, type InFlight } from '../activities/in-flight.ts';
import type { Config } from '../config.ts';
import type { Orders, WorkerReport } from '../db/workers.ts';
import { createGate } from '../jobs/gate.ts';
import { limitSender } from '../jobs/http/limited-sender.ts';
import { createHttpSender } from '../jobs/http/send.ts';
import { traceSender } from '../jobs/http/traced-sender.ts';
import type { Services } from '../services.ts';
import type { Logger } from '../telemetry/log.ts';
import { startEngine, WORKFLOW_TASKS_AT_ONCE, WORKFLOW_TASKS_IN_WORK } from './engine.ts';
import { identify, startHeartbeat } from './heartbeat.ts';
import { startLoops } from './loops.ts';
import { warnIfShortLived } from './namespace.ts';
import { createPace } from './pace.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { type ActivitySlots, createSlots, type WorkflowSlots } from './slots.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';

const FORCE_AFTER_GRACE_MS = 5_000;
/** However few calls are allowed, what is no call must go on. */
const LEAST_SLOTS = 10;
/** However slow the machine: beside these there are those that polls on their way bring. */
const LEAST_TASKS_IN_WORK = 5;

export interface RunningWorker {
  /** Takes no more work, lets what is under way end within the grace, then closes. */
  stop(): Promise<void>;
  /** Rejects when the worker fails for good. */
  failed: Promise<never>;
  /** Resolves when an operator has drained it. */
  drained: Promise<void>;
}

/** Once per process, before any worker: the SDK logs into our log, its metrics get a port of their own. */
export function installRuntime(log: Logger, { sdkMetricsPort, metricsHost }: Config): void {
  Runtime.install({
    // We stop the worker ourselves, after the API.
    shutdownSignals: [],
    logger: sdkLogger(log),
    telemetryOptions: {
      logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } },
      ...(sdkMetricsPort ? { metrics: sdkMetrics(`${metricsHost}:${sdkMetricsPort}`) } : {}),
    },
  });
}

/** Named as Prometheus wants it: seconds, and counters that end in `_total`. */
function sdkMetrics(bindAddress: string) {
  return { prometheus: { bindAddress, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true } };
}

export async function startWorker(
  config: Config,
  services: Services & { native: NativeConnection },
  workflowBundlePath: string,
  { roles }: { roles: string[] } = { roles: ['worker'] },
): Promise<RunningWorker> {
  const { db, native, log } = services;
  await registerSearchAttributes(native, config.temporalNamespace, log);
  await warnIfShortLived(native, config.temporalNamespace, log);
  const inFlight = createInFlight();
  const workflowSlots = slotsForWorkflows(inFlight);
  const { concurrency, sender, ...limits } = createLimits(services, config);
  const supervisor = createSupervisor(() =>
    startEngine({ ...services, ...limits, config, sender, inFlight, workflowSlots, workflowBundlePath }),
  );
  let orders: Orders | null = null;
  let phase: 'present' | 'draining' | 'drained' = 'present';
  let drain = () => {};
  const drained = new Promise<void>((resolve) => (drain = () => void end().then(resolve, supervisor.fail)));

  const heartbeat = await startHeartbeat({
    db,
    log,
    worker: identify(config, roles),
    report: () => ({
      phase: phase !== 'present' ? phase : orders && !supervisor.isServing() ? 'paused' : 'serving',
      ...slotsOf(supervisor, concurrency()),
      counts: inFlight.counts(),
    }),
    async onOrders(given) {
      orders = given;
      const changed = await supervisor.follow(given);
      if (changed) log.info({ workerId: config.workerId, ...given }, 'the worker follows its orders');
      if (given.drain) drain();
      return changed;
    },
  });
  const loops = startLoops({ ...services, config, sender, inFlight, isPaused: () => orders?.paused ?? false });

  const end = once(async () => {
    phase = 'draining';
    heartbeat.nudge();
    await loops.stop(supervisor.end());
    phase = 'drained';
    await heartbeat.stop();
    await sender.close();
  });
  const stop = () => endWithin(config.shutdownGraceMs, end, () => inFlight.abortAll());
  return { failed: supervisor.failed, drained, stop };
}

/** What settings may change while calls are under way. */
function createLimits({ settings, getPolicy }: Services, { otlpEndpoint }: Config) {
  const concurrency = () => settings.current().concurrency;
  const gate = createGate(concurrency);
  const slots: ActivitySlots = createSlots(({ reserved }) => reserved < Math.max(concurrency(), LEAST_SLOTS));
  const plain = createHttpSender({ getPolicy });
  const { sender, setLimits } = limitSender(otlpEndpoint === undefined ? plain : traceSender(plain));
  settings.onChange(({ maxTimeoutMs, httpLimits: { maxResponseBytes } }) => {
    setLimits({ maxTimeoutMs, maxResponseBytes });
    for (const { changed } of [gate, slots]) changed();
  });
  return { concurrency, gate, slots, sender };
}

/** A local attempt waits for the store or its target, not for the processor: it makes room for another task. */
function slotsForWorkflows(inFlight: InFlight): WorkflowSlots {
  const pace = createPace({ least: LEAST_TASKS_IN_WORK, most: WORKFLOW_TASKS_IN_WORK });
  const inWork = (used: number) => Math.max(0, used - inFlight.localCount());
  let tasks = 0;
  const slots: WorkflowSlots = createSlots(
    ({ reserved, used }) => reserved < WORKFLOW_TASKS_AT_ONCE && inWork(used) < pace.limit(),
    (change, { used }) => {
      tasks = used;
      pace.inWork(inWork(tasks));
      if (change === -1) pace.done();
    },
  );
  inFlight.onLocal(() => {
    pace.inWork(inWork(tasks));
    slots.changed();
  });
  return slots;
}

/** Whoever asks first begins it: an operator's drain, or the end of the process. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => (done ??= work());
}

/** Calls `cut` after the grace, and waits no longer than what is cut off needs to settle. */
async function endWithin(graceMs: number, end: () => Promise<void>, cut: () => void): Promise<void> {
  const ended = new AbortController();
  const cutting = setTimeout(cut, graceMs);
  const tooLate = sleep(graceMs + FORCE_AFTER_GRACE_MS, null, { signal: ended.signal }).then(() => {
    throw new Error('the calls under way did not end when their time was over');
  });
  try {
    await Promise.race([end(), tooLate]);
  } finally {
    clearTimeout(cutting);
    tooLate.catch(() => {});
    ended.abort();
  }
}

function slotsOf(supervisor: Supervisor, concurrency: number): Pick<WorkerReport, 'activities' | 'workflows'> {
  const { activities, workflows } = supervisor.used();
  return {
    activities: { used: activities, max: concurrency },
    workflows: { used: workflows, max: WORKFLOW_TASKS_AT_ONCE },
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
