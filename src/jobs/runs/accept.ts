// The only way in for runs: a committed row, once per idempotency key, before anyone is told yes.
import { currentTime } from '../../clock.ts';
import { parseDurationMs } from '../../contract/duration.ts';
import { findKey } from '../../db/idempotency-keys.ts';
import { type Database, StoreUnavailableError } from '../../db/pool.ts';
import { findRun, insertRun, type NewRun } from '../../db/runs.ts';
import { reach } from '../../failpoint.ts';
import type { WorkflowDefinition } from '../../language/definition.ts';
import type { Plan } from '../../language/plan.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { IdempotencyKey } from '../accept.ts';
import { newId } from '../ids.ts';
import { type Replay, replayOf } from '../once.ts';
import { DEFAULT_PRIORITY } from '../spec/with-defaults.ts';
import { traceParentOf } from '../trace-parent.ts';
import type { RunStarter } from './start.ts';

const STORE_TRIES = 3;
/** When the relay looks at a run whose workflow was not started by whoever accepted it. */
const RELAY_AFTER_MS = 3_000;

export interface RunSubmission {
  tenant: string;
  /** Chosen by us, except for runs that a schedule named. */
  id?: string;
  workflow: string | null;
  version: number | null;
  definition: WorkflowDefinition;
  plan: Plan;
  /** False where the stored version is exactly this definition. */
  keepDefinition: boolean;
  input: unknown;
  labels?: Record<string, string>;
  priority?: number;
  runAt?: Date | null;
  deadline?: string | null;
  scheduleId?: string | null;
  traceParent?: string | null;
  now?: Date;
}

export type RunAcceptance = { kind: 'created'; run: NewRun; answer: string } | Replay;

export interface AcceptRunDeps {
  db: Database;
  runStarter: RunStarter;
  metrics: Metrics;
  renderAnswer: (run: NewRun, definition: WorkflowDefinition) => string;
}

export type AcceptRun = ReturnType<typeof createAcceptRun>;

export function createAcceptRun({ db, runStarter, metrics, renderAnswer }: AcceptRunDeps) {
  return async function acceptRun(
    submission: RunSubmission,
    key: IdempotencyKey | null = null,
  ): Promise<RunAcceptance> {
    const run = newRun(submission);
    const answer = renderAnswer(run, submission.definition);
    const written = await insertDurably(db, run, key, answer);
    if (written.kind === 'created') {
      reach('run.accepted');
      metrics.runsAccepted.inc({ tenant: metrics.tenantLabel(run.tenant) });
      runStarter.startSoon(run);
    } else {
      metrics.duplicates.inc({ kind: written.kind });
    }
    return written;
  };
}

/** The row as it will be stored, with everything that acceptance decides. */
export function newRun(submission: RunSubmission): NewRun {
  const { tenant, workflow, version, definition, plan, input, now = currentTime() } = submission;
  const id = submission.id ?? newId('run');
  const runAt = submission.runAt ?? null;
  return {
    id,
    tenant,
    workflow,
    version,
    definition: submission.keepDefinition ? definition : null,
    plan: submission.keepDefinition ? plan : null,
    status: runAt !== null && runAt > now ? 'scheduled' : 'queued',
    input,
    notify: definition.notify ?? [],
    labels: submission.labels ?? {},
    priority: submission.priority ?? DEFAULT_PRIORITY,
    runAt,
    deadlineAt: submission.deadline ? later(runAt ?? now, submission.deadline) : null,
    parentRunId: null,
    parentStepId: null,
    parentItem: null,
    depth: 0,
    scheduleId: submission.scheduleId ?? null,
    redriveOf: null,
    keyBase: id,
    stepKeys: {},
    traceParent: traceParentOf(submission.traceParent),
    createdAt: now,
    checkAt: new Date(now.getTime() + RELAY_AFTER_MS),
  };
}

async function insertDurably(
  db: Database,
  run: NewRun,
  key: IdempotencyKey | null,
  answer: string,
): Promise<RunAcceptance> {
  for (let attempt = 1; ; attempt++) {
    try {
      if (await insertRun(db, run, key && { ...key, answer })) return { kind: 'created', run, answer };
      return await alreadyThere(db, run, key, answer);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || attempt === STORE_TRIES) throw error;
    }
  }
}

/** The key or the id was taken: by an earlier request, or by our own whose answer was lost. */
async function alreadyThere(
  db: Database,
  run: NewRun,
  key: IdempotencyKey | null,
  answer: string,
): Promise<RunAcceptance> {
  const known = key && (await findKey(db, run.tenant, key));
  if (known?.resourceId === run.id) return { kind: 'created', run, answer };
  const replayed = await replayOf(db, run.tenant, key);
  if (replayed) return replayed;
  if (key) throw new StoreUnavailableError('the idempotency key was removed while it was read');
  const row = await findRun(db, run.tenant, run.id);
  if (!row) throw new Error(`run ${run.id} belongs to another tenant`);
  const isOurs = row.createdAt.getTime() === run.createdAt.getTime();
  return isOurs ? { kind: 'created', run, answer } : { kind: 'replayed', id: run.id, answer };
}

function later(from: Date, duration: string): Date {
  return new Date(from.getTime() + (parseDurationMs(duration) ?? 0));
}
