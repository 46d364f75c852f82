// One Temporal worker from its start to the end of its last call. Temporal has no pause: to stop taking work is to shut
// the worker down, to take work again is to make another, which may be while the calls of the one before still run.
import { dirname, join } from 'node:path';

import { type NativeConnection, Worker } from '@temporalio/worker';

import type { InFlight } from '../activities/in-flight.ts';
import { createActivities } from '../activities/index.ts';
import type { Config } from '../config.ts';
import type { Gate } from '../jobs/gate.ts';
import type { HttpSender } from '../jobs/http/send.ts';
import type { Services } from '../services.ts';
import type { ActivitySlots, WorkflowSlots } from './slots.ts';

/** Workflow tasks at once, with those whose local activity waits for a target's answer. */
export const WORKFLOW_TASKS_AT_ONCE = 200;
/**
 * … of which so many may want the processor. Each waits for all the others: a busy machine with more would be late
 * with all of them, past the time that a task may take, and have worked in vain. The rest waits in Temporal, in turns.
 */
export const WORKFLOW_TASKS_IN_WORK = 120;
/** Longer than any call may take: only whoever ends the process cuts calls off, see InFlight. */
const LONGEST_CALL_MS = 15 * 60_000;
const FORCE_AFTER_MS = 60_000;

export interface Engine {
  /** When it resolves, it takes nothing new any more. */
  retire(): Promise<void>;
  /** Retired, and its calls have ended. */
  ended: Promise<void>;
  used(): { activities: number; workflows: number };
  /** Rejects when it fails for good. */
  failed: Promise<never>;
}

export interface EngineDeps extends Services {
  config: Config;
  native: NativeConnection;
  sender: HttpSender;
  inFlight: InFlight;
  gate: Gate;
  slots: ActivitySlots;
  workflowSlots: WorkflowSlots;
  workflowBundlePath: string;
}

/** Where payloads are encrypted, failures become payloads: another bundle, and the same converter outside of it. */
function codeOf(bundlePath: string, codec: Services['payloadCodec']) {
  if (!codec) return { workflowBundle: { codePath: bundlePath } };
  const folder = dirname(bundlePath);
  return {
    workflowBundle: { codePath: join(folder, 'workflow-bundle.encrypted.js') },
    dataConverter: { payloadCodecs: [codec], failureConverterPath: join(folder, 'failure-converter.cjs') },
  };
}

export async function startEngine(deps: EngineDeps): Promise<Engine> {
  const { config, workflowBundlePath } = deps;
  let closing = false;
  const worker = await Worker.create({
    connection: deps.native,
    namespace: config.temporalNamespace,
    taskQueue: config.taskQueue,
    identity: config.workerId,
    ...codeOf(workflowBundlePath, deps.payloadCodec),
    activities: createActivities({ ...deps, isClosing: () => closing, worker: config.workerId }),
    maxCachedWorkflows: config.workflowCacheSize,
    tuner: {
      activityTaskSlotSupplier: deps.slots,
      localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: WORKFLOW_TASKS_AT_ONCE },
      workflowTaskSlotSupplier: deps.workflowSlots,
      nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
    },
    shutdownGraceTime: LONGEST_CALL_MS,
    shutdownForceTime: LONGEST_CALL_MS + FORCE_AFTER_MS,
  });
  const running = worker.run();
  deps.eagerStarts.allow();
  return {
    async retire() {
      closing = true;
      await deps.eagerStarts.forbid();
      if (worker.getState() === 'RUNNING') worker.shutdown();
    },
    ended: running,
    used() {
      const { numInFlightNonLocalActivities, numInFlightLocalActivities, numInFlightWorkflowActivations } =
        worker.getStatus();
      // A local activity runs inside its workflow task.
      const workflows = numInFlightWorkflowActivations + numInFlightLocalActivities;
      return { activities: numInFlightNonLocalActivities, workflows };
    },
    failed: running.then(() => new Promise<never>(() => {})),
  };
}
