// What is done to a run from outside: cancel, pause, resume, signal. The row first, then its workflow is told.
import { type Client, WorkflowNotFoundError } from '@temporalio/client';

import { currentMs } from '../../clock.ts';
import { RUN_CHANGED_SIGNAL, runError } from '../../contract/run.ts';
import type { Database } from '../../db/pool.ts';
import { finishRun } from '../../db/run-finish.ts';
import { insertSignal } from '../../db/run-signals.ts';
import { setPaused } from '../../db/runs.ts';
import type { Logger } from '../../telemetry/log.ts';
import { cancelWorkflow } from '../cancel.ts';
import type { RunFinished } from './finished.ts';

const RELAY_AFTER_MS = 5_000;

export type RunControls = ReturnType<typeof createRunControls>;

export function createRunControls({
  db,
  client,
  runFinished,
  log,
}: {
  db: Database;
  client: Client;
  runFinished: RunFinished;
  log: Logger;
}) {
  /** The relay tells it again where this one does not arrive. */
  const nudgeSoon = (id: string): void => {
    void nudge(client, id).catch((error: unknown) => {
      log.warn({ runId: id, err: error }, 'run not told; the relay will');
    });
  };

  return {
    /** False when the run is final, or not of this tenant. */
    async cancel(tenant: string, id: string): Promise<boolean> {
      const settled = await finishRun(
        db,
        { id, tenant },
        {
          status: 'canceled',
          output: null,
          error: runError('canceled', 'The run was canceled'),
          deadLetter: null,
          checkAt: new Date(currentMs() + RELAY_AFTER_MS),
        },
      );
      if (!settled) return false;
      void cancelWorkflow(client, id).catch((error: unknown) => {
        log.warn({ runId: id, err: error }, 'workflow not canceled; the relay will');
      });
      await runFinished(id, 'canceled', settled, null);
      return true;
    },

    async setPaused(tenant: string, id: string, paused: boolean): Promise<boolean> {
      const changed = await setPaused(db, tenant, id, paused);
      changed.forEach(nudgeSoon);
      return changed.includes(id);
    },

    async signal(tenant: string, id: string, name: string, payload: unknown): Promise<boolean> {
      const kept = await insertSignal(db, { tenant, id }, name, payload);
      if (kept) nudgeSoon(id);
      return kept;
    },
  };
}

/** A run whose workflow does not exist yet finds everything in its row when it begins. */
export async function nudge(client: Client, id: string): Promise<void> {
  try {
    await client.withDeadline(Date.now() + 5_000, () => client.workflow.getHandle(id).signal(RUN_CHANGED_SIGNAL));
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
