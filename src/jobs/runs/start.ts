// Starts the Temporal workflow of an accepted run: at once where Temporal is there, else the relay does it later.
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

import { type RunInput, WORKFLOW_RUN } from '../../contract/run.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/temporal.ts';
import type { Database } from '../../db/pool.ts';
import { markRunsSeen } from '../../db/run-relay.ts';
import type { NewRun, RunRow } from '../../db/runs.ts';
import { reach } from '../../failpoint.ts';
import type { Logger } from '../../telemetry/log.ts';
import { ofTenant } from '../of-tenant.ts';

const COOL_DOWN_MS = 1_000;

export type StartableRun = Pick<
  RunRow | NewRun,
  'id' | 'tenant' | 'workflow' | 'version' | 'priority' | 'runAt' | 'scheduleId'
>;
export type RunStarter = ReturnType<typeof createRunStarter>;

const NAME = defineSearchAttributeKey(SEARCH_ATTRIBUTES.name, SearchAttributeType.KEYWORD);

export function createRunStarter({
  db,
  client,
  taskQueue,
  log,
  isEncrypted,
}: {
  db: Database;
  client: Client;
  taskQueue: string;
  log: Logger;
  /** Search attributes are never encrypted, so then there are none but the tenant. */
  isEncrypted: boolean;
}) {
  const underWay = new Set<Promise<unknown>>();
  let restUntil = 0;

  /** True when the workflow exists now. */
  const start = async (run: StartableRun): Promise<boolean> => {
    try {
      await client.withDeadline(Date.now() + 5_000, () =>
        client.workflow.start(WORKFLOW_RUN, startOptions(run, taskQueue, isEncrypted)),
      );
    } catch (error) {
      // Its id is the run's own: whoever started it, it is this run.
      if (error instanceof WorkflowExecutionAlreadyStartedError) return true;
      restUntil = Date.now() + COOL_DOWN_MS;
      log.warn({ runId: run.id, err: error }, 'workflow not started; the relay will try again');
      return false;
    }
    reach('run.started');
    // One that waits is not looked at before its time: that its workflow exists must be known by then.
    if (run.runAt) await markRunsSeen(db, [run.id]);
    return true;
  };

  return {
    start,
    /** Starts in the background; a failure is left to the relay. */
    startSoon(run: StartableRun): void {
      if (Date.now() < restUntil) return;
      const starting = start(run)
        .catch((error: unknown) => log.error({ runId: run.id, err: error }, 'after the start of a run'))
        .finally(() => underWay.delete(starting));
      underWay.add(starting);
    },
    async drain(): Promise<void> {
      await Promise.allSettled(underWay);
    },
  };
}

export function summaryOfRun({ workflow, version }: Pick<StartableRun, 'workflow' | 'version'>): string {
  return workflow === null ? 'inline workflow' : `${workflow} v${version}`;
}

function startOptions(run: StartableRun, taskQueue: string, isEncrypted: boolean) {
  const input: RunInput = { runId: run.id, runAtMs: run.runAt?.getTime() ?? null };
  return {
    workflowId: run.id,
    taskQueue,
    args: [input] as [RunInput],
    // A schedule that was given a workflow in place of a job may have fired under this id before.
    workflowIdReusePolicy: run.scheduleId === null ? ('REJECT_DUPLICATE' as const) : ('ALLOW_DUPLICATE' as const),
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    staticSummary: summaryOfRun(run),
    ...ofTenant(run.tenant, {
      priorityKey: run.priority,
      attributes: isEncrypted || run.workflow === null ? [] : [{ key: NAME, value: run.workflow }],
    }),
  };
}
