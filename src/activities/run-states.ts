// The state of a run as its workflow changes it: begun, its steps noted, ended.
import { type RunEnd, runError, type RunSnapshot, type StepRecord } from '../contract/run.ts';
import { notifyEach } from '../db/notify.ts';
import type { Database } from '../db/pool.ts';
import { cutCallsOf, finishRun, type RunVerdict } from '../db/run-finish.ts';
import { recordSteps, type StepRow, stepsOfRuns } from '../db/run-steps.ts';
import { beginRun, findRunOfAnyTenant, type RunControl, type RunRow, takeControl } from '../db/runs.ts';
import { reach } from '../failpoint.ts';
import { CANCEL_CHANNEL } from '../jobs/cancel.ts';
import { failureOf } from '../jobs/runs/failure.ts';
import type { RunFinished } from '../jobs/runs/finished.ts';
import type { Plan } from '../language/plan.ts';
import { hasStepEnded } from '../language/progress.ts';

/** Above this a text is read in pieces: a payload of Temporal's holds 2 MiB. */
const SNAPSHOT_LENGTH = 200_000;

export interface RunStateDeps {
  db: Database;
  runFinished: RunFinished;
}

export function createRunStates({ db, runFinished }: RunStateDeps) {
  const finish = async (id: string, verdict: RunVerdict): Promise<void> => {
    const settled = await finishRun(db, { id, tenant: null }, verdict);
    reach('run.finished');
    if (settled) await runFinished(id, verdict.status, settled, verdict.deadLetter?.reason ?? null);
  };

  return {
    /** Null when the run is final. */
    async beginRun({ runId }: { runId: string }): Promise<RunSnapshot | null> {
      const run = await beginRun(db, runId);
      reach('run.begun');
      return run && snapshotOf(run, run.redriveOf === null ? [] : await stepsOfRuns(db, [runId]));
    },

    /** For an execution that works for a run it did not begin. */
    async readRun({ runId }: { runId: string }): Promise<RunSnapshot | null> {
      const run = await findRunOfAnyTenant(db, runId);
      return run && snapshotOf(run, []);
    },

    takeRunControl: ({ runId }: { runId: string }): Promise<RunControl> => takeControl(db, runId),

    async recordSteps(input: {
      runId: string;
      records: StepRecord[];
      status: 'running' | 'waiting' | null;
    }): Promise<void> {
      await recordSteps(db, input.runId, input.records, input.status);
      reach('run.recorded');
    },

    async finishRun({ runId, status, output = null, failedStep, error }: RunEnd): Promise<void> {
      if (status === 'succeeded') {
        return finish(runId, { status, output, error: null, deadLetter: null, checkAt: null });
      }
      const run = await findRunOfAnyTenant(db, runId);
      if (!run) throw new Error(`run ${runId} is not there`);
      const failure = await failureOf(db, run, failedStep, error ?? runError(status, `The run ended ${status}`));
      await finish(runId, { status, output: null, ...failure, checkAt: null });
    },

    /** The workflow was canceled: through our API the row says so already, from the Web UI it does not yet. */
    async confirmRunCanceled({ runId }: { runId: string }): Promise<void> {
      const error = runError('canceled', 'The run was canceled');
      await finish(runId, { status: 'canceled', output: null, error, deadLetter: null, checkAt: null });
      await notifyEach(db, CANCEL_CHANNEL, await cutCallsOf(db, runId));
    },
  };
}

function snapshotOf(run: RunRow, steps: StepRow[]): RunSnapshot {
  const definition = JSON.stringify(run.definition);
  const input = JSON.stringify(run.input);
  const kept = inOrderOfEnd(
    run.plan,
    steps.filter((step) => hasStepEnded(step) && step.finishedAt !== null),
  );
  return {
    workflow: run.workflow,
    version: run.version,
    definition: definition.length > SNAPSHOT_LENGTH ? null : definition,
    input: input.length > SNAPSHOT_LENGTH ? null : input,
    keyBase: run.keyBase,
    stepKeys: run.stepKeys,
    priority: run.priority,
    deadlineAtMs: run.deadlineAt?.getTime() ?? null,
    createdAt: run.createdAt.toISOString(),
    labels: run.labels,
    redriveOf: run.redriveOf,
    paused: run.paused,
    states: kept.map(({ id, status, error }) => ({ id, status, errorCode: error?.code ?? null })),
    outputBytes: kept.reduce((sum, { output }) => sum + Buffer.byteLength(JSON.stringify(output ?? null)), 0),
  };
}

/** A step is written a moment after it ended, a call at once: no step counts as ended before what it depends on. */
function inOrderOfEnd({ steps: planned, order }: Plan, ended: StepRow[]): StepRow[] {
  const rows = new Map(ended.map((step) => [step.id, step]));
  const dependencies = new Map(planned.map((step) => [step.id, step.dependsOn]));
  const endedAt = new Map<string, number>();
  for (const id of order) {
    const before = (dependencies.get(id) ?? []).map((dependency) => endedAt.get(dependency) ?? 0);
    endedAt.set(id, Math.max(Number(rows.get(id)?.finishedAt ?? 0), ...before));
  }
  return order.flatMap((id) => rows.get(id) ?? []).sort((a, b) => (endedAt.get(a.id) ?? 0) - (endedAt.get(b.id) ?? 0));
}
