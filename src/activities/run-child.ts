// Runs that are steps of runs: made before their workflow starts, read when it has ended.
import { type ChildPlace, isFinalRun, runError, type RunStatus, type StepEnd } from '../contract/run.ts';
import { writeFailedItems } from '../db/failed-items.ts';
import type { Database } from '../db/pool.ts';
import { finishRun } from '../db/run-finish.ts';
import { findChildRun, findRunOfAnyTenant, type RunRow } from '../db/runs.ts';
import { type ChildRequest, makeChildRun } from '../jobs/runs/child.ts';
import type { RunFinished } from '../jobs/runs/finished.ts';

export interface ChildWork {
  childId: string;
  workflow: string | null;
  version: number | null;
}

export function createRunChildren({ db, runFinished }: { db: Database; runFinished: RunFinished }) {
  return {
    async makeChild(request: ChildRequest): Promise<ChildWork | StepEnd> {
      const made = await makeChildRun(db, request);
      if ('error' in made) {
        const { runId, stepId, item } = request;
        const { error } = made;
        if (item !== null) await writeFailedItems(db, { runId, stepId, items: [{ index: item, error }] });
        return { status: 'failed', errorCode: error.code, bytes: 0, error };
      }
      const { id, status, workflow, version } = made.run;
      return isFinalRun(status) ? endOf(made.run) : { childId: id, workflow, version };
    },

    /**
     * Its workflow has ended; if the run has not, someone ended the workflow from outside. Null while the run has not
     * ended and its workflow may still be at work.
     */
    async endChild({ mayRun = false, ...place }: ChildPlace & { mayRun?: boolean }): Promise<StepEnd | null> {
      const run = await findChildRun(db, place.runId, place.stepId, place.item);
      if (!run) throw new Error(`the run of ${place.runId}/${place.stepId} is not there`);
      if (isFinalRun(run.status)) return endOf(run);
      if (mayRun) return null;
      const error = runError('terminatedExternally', 'The run was ended from outside');
      const verdict = { status: 'failed' as const, output: null, error, deadLetter: null, checkAt: null };
      const settled = await finishRun(db, { id: run.id, tenant: null }, verdict);
      if (settled) await runFinished(run.id, 'failed', settled, null);
      const now = await findRunOfAnyTenant(db, run.id);
      return endOf(now ?? run);
    },
  };
}

function endOf({ status, output, error, workflow }: RunRow): StepEnd {
  if (status === 'succeeded') {
    return { status, errorCode: null, bytes: Buffer.byteLength(JSON.stringify(output)), output };
  }
  const title = `The run of ${workflow ?? 'the workflow'} ended ${status satisfies RunStatus}`;
  const failed = runError('childFailed', title, error?.title ?? null);
  return { status: 'failed', errorCode: failed.code, bytes: 0, error: failed };
}
