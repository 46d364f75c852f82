// Starts the workflow of an accepted job: at once where Temporal is there, else the relay does it later.
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

import { parseDurationMs } from '../contract/duration.ts';
import type { JobSpec } from '../contract/job.ts';
import { HTTP_JOB, type JobInput, type JobPlan, RELEASED_SIGNAL, SEARCH_ATTRIBUTES } from '../contract/temporal.ts';
import type { JobRow, NewJob } from '../db/jobs.ts';
import { reach } from '../failpoint.ts';
import type { Logger } from '../telemetry/log.ts';
import { createGate } from './gate.ts';
import { ofTenant } from './of-tenant.ts';

/** Longer calls would hold their workflow task for too long; they run as regular activities. */
const LOCAL_TIMEOUT_MS = 10_000;
/** After a failed start the others wait for the relay instead of queueing up behind a dead connection. */
const COOL_DOWN_MS = 1_000;
/** More at once would only wait inside Temporal, where they cannot take turns. */
const AT_ONCE = 40;
/** When many jobs want to start at one moment, the relay takes the others at the pace that Temporal has. */
const PLACES = 200;
/** … but so many of each tenant have a place, however many another one wants. */
const PLACES_OF_A_TENANT = 20;
const MAX_WITH_PLACES = 2 * PLACES;
/** Whoever has not begun by then is left to the relay, which looks after three seconds. */
const LONGEST_WAIT_MS = 2_000;

export type StartableJob = Pick<
  JobRow | NewJob,
  'id' | 'tenant' | 'spec' | 'host' | 'runAt' | 'deadlineAt' | 'scheduleId'
> & {
  /** Of a job whose first attempt was made elsewhere, in a batch. */
  nextAttemptAt?: Date | null;
};

export interface Starter {
  /** Starts in the background; a failure is left to the relay. */
  startSoon(job: StartableJob): void;
  /** The same, and resolves when the start is over. */
  begin(job: StartableJob): Promise<void>;
  /** True when the workflow exists now. */
  start(job: StartableJob): Promise<boolean>;
  /** Waits for the starts under way. */
  drain(): Promise<void>;
}

const NAME = defineSearchAttributeKey(SEARCH_ATTRIBUTES.name, SearchAttributeType.KEYWORD);
const HOST = defineSearchAttributeKey(SEARCH_ATTRIBUTES.host, SearchAttributeType.KEYWORD);

export function createStarter({
  client,
  taskQueue,
  log,
  isEncrypted,
  onStarted = async () => {},
}: {
  client: Client;
  taskQueue: string;
  log: Logger;
  /** Search attributes are never encrypted, so then there are none but the tenant. */
  isEncrypted: boolean;
  onStarted?: (job: StartableJob) => Promise<void>;
}): Starter {
  const underWay = new Set<Promise<unknown>>();
  const ofTenants = new Map<string, number>();
  const gate = createGate(() => AT_ONCE);
  let restUntil = 0;
  let lastStartedAt = 0;

  const start = async (job: StartableJob): Promise<boolean> => {
    const beganAt = Date.now();
    try {
      await client.withDeadline(Date.now() + 5_000, async () => {
        const workflow = await client.workflow.start(HTTP_JOB, startOptions(job, taskQueue, isEncrypted));
        if (mayWait(job)) await workflow.signal(RELEASED_SIGNAL);
      });
    } catch (error) {
      // Its id is the job's own: whoever started it, it is this job.
      if (error instanceof WorkflowExecutionAlreadyStartedError) return true;
      // One that was late while others arrived says nothing about the connection.
      if (lastStartedAt < beganAt) restUntil = Date.now() + COOL_DOWN_MS;
      log.warn({ jobId: job.id, err: error }, 'workflow not started; the relay will try again');
      return false;
    }
    lastStartedAt = Date.now();
    reach('start.started');
    await onStarted(job);
    reach('start.marked');
    return true;
  };

  const startInTurn = async (job: StartableJob): Promise<void> => {
    if ((await gate.enter(1, LONGEST_WAIT_MS, job.tenant)) === 0) return;
    try {
      if (Date.now() >= restUntil) await start(job);
    } finally {
      gate.leave();
    }
  };

  const begin = async (job: StartableJob): Promise<void> => {
    const own = ofTenants.get(job.tenant) ?? 0;
    if (Date.now() < restUntil) return;
    if (underWay.size >= (own < PLACES_OF_A_TENANT ? MAX_WITH_PLACES : PLACES)) return;
    const starting = startInTurn(job)
      .catch((error: unknown) => log.error({ jobId: job.id, err: error }, 'after the start of a workflow'))
      .finally(() => {
        underWay.delete(starting);
        const left = (ofTenants.get(job.tenant) ?? 1) - 1;
        if (left > 0) ofTenants.set(job.tenant, left);
        else ofTenants.delete(job.tenant);
      });
    underWay.add(starting);
    ofTenants.set(job.tenant, own + 1);
    await starting;
  };

  return {
    start,
    begin,
    startSoon: (job) => void begin(job),
    async drain() {
      await Promise.allSettled(underWay);
    },
  };
}

export function planOf(job: Pick<StartableJob, 'spec' | 'runAt' | 'deadlineAt' | 'nextAttemptAt'>): JobPlan {
  const { spec, deadlineAt } = job;
  const runAt = job.nextAttemptAt ?? job.runAt;
  const timeoutMs = parseDurationMs(spec.http.timeout) ?? LOCAL_TIMEOUT_MS;
  const local = spec.delivery === 'atLeastOnce' && timeoutMs <= LOCAL_TIMEOUT_MS;
  return {
    runAtMs: runAt?.getTime() ?? null,
    deadlineAtMs: deadlineAt?.getTime() ?? null,
    timeoutMs,
    firstAttempt: local ? 'local' : 'regular',
  };
}

function startOptions(job: StartableJob, taskQueue: string, isEncrypted: boolean) {
  const input: JobInput = { plan: planOf(job) };
  return {
    workflowId: job.id,
    taskQueue,
    args: [input] as [JobInput],
    // A tick that did not run has used its id in Temporal; a backfill may run it yet. The row keeps it from running twice.
    workflowIdReusePolicy: job.scheduleId === null ? ('REJECT_DUPLICATE' as const) : ('ALLOW_DUPLICATE' as const),
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    staticSummary: summaryOf(job.spec),
    ...ofTenant(job.tenant, { priorityKey: job.spec.priority, attributes: isEncrypted ? [] : searchable(job) }),
  };
}

function searchable({ host, spec }: StartableJob) {
  return [{ key: HOST, value: host }, ...(spec.name === null ? [] : [{ key: NAME, value: spec.name }])];
}

/** Fired by Temporal, its workflow is there already and waits for the run before it. */
function mayWait({ scheduleId, spec }: StartableJob): boolean {
  return scheduleId !== null && spec.dependsOn.length > 0;
}

export function summaryOf({ http: { method, url } }: JobSpec): string {
  // Without path and query: both may carry what Temporal is not to know (a webhook's token is part of its path).
  return `${method} ${new URL(url).origin}`.slice(0, 200);
}
