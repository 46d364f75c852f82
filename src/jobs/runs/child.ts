// A run that is a step of another run: made once per place under its parent, so that asking twice makes one.
import { currentMs } from '../../clock.ts';
import type { StoredError } from '../../contract/problem.ts';
import { type ChildPlace, isFinalRun, runError } from '../../contract/run.ts';
import type { Database } from '../../db/pool.ts';
import { findChildRun, findRunOfAnyTenant, insertRun, type RunRow } from '../../db/runs.ts';
import { findWorkflow } from '../../db/workflows.ts';
import { newRun } from './accept.ts';
import { inputFaults } from './definition.ts';
import { redriveInto } from './redrive.ts';

const MAX_DEPTH = 10;
/** Longer than a parent needs to start it; after that the relay asks what became of the parent. */
const RELAY_AFTER_MS = 60_000;

export interface ChildRequest extends ChildPlace {
  name: string;
  version: number | null;
  input: unknown;
}

export async function makeChildRun(
  db: Database,
  request: ChildRequest,
): Promise<{ run: RunRow } | { error: StoredError }> {
  const { runId, stepId, item, name, version, input } = request;
  const known = await findChildRun(db, runId, stepId, item);
  if (known) return { run: known };
  const parent = await findRunOfAnyTenant(db, runId);
  if (!parent) throw new Error(`run ${runId} is not there`);
  if (parent.depth >= MAX_DEPTH) {
    return { error: runError('tooDeep', `Workflows are nested more than ${MAX_DEPTH} deep`) };
  }
  const workflow = await findWorkflow(db, parent.tenant, name, version);
  if (!workflow) {
    const title = version === null ? `There is no workflow ${name}` : `There is no version ${version} of ${name}`;
    return { error: runError('workflowNotFound', title) };
  }
  const faults = inputFaults(workflow.definition, input, '/input');
  if (faults.length > 0) {
    const detail = faults.map(({ pointer, detail: fault }) => `${pointer}: ${fault}`).join(' ');
    return { error: runError('inputInvalid', `The input does not fit ${name}`, detail.slice(0, 1_000)) };
  }
  const { definition, plan } = workflow;
  const { tenant, priority, labels, traceParent } = parent;
  const fresh = newRun({
    ...{ tenant, workflow: name, version: workflow.version, definition, plan, keepDefinition: false },
    ...{ input, labels, priority, traceParent },
  });
  const place = {
    ...{ parentRunId: runId, parentStepId: stepId, parentItem: item, depth: parent.depth + 1 },
    ...{ deadlineAt: parent.deadlineAt, checkAt: new Date(currentMs() + RELAY_AFTER_MS) },
  };
  const before = await childBefore(db, parent, request);
  // Cut off with its parent, it is about to end; this is asked again.
  if (before !== null && !isFinalRun(before.status)) throw new Error(`run ${before.id} has not ended yet`);
  if (before !== null && before.status !== 'succeeded') {
    const wanted = { version: workflow.version, definition, plan, keepDefinition: false, input };
    await db.transaction((tx) => redriveInto(tx, before, wanted, { fromStep: null, newKey: false }, place));
  } else {
    await insertRun(db, { ...fresh, ...place, keyBase: before?.keyBase ?? fresh.keyBase });
  }
  const made = await findChildRun(db, runId, stepId, item);
  if (!made) throw new Error(`the run of ${runId}/${stepId} was not inserted`);
  return { run: made };
}

/**
 * The run that was this step before the parent was redriven, however many redrives ago it got there; none where the step
 * has been undone since.
 */
async function childBefore(db: Database, parent: RunRow, { stepId, item }: ChildPlace): Promise<RunRow | null> {
  for (let run: RunRow | null = parent; run !== null && run.redriveOf !== null && run.stepKeys[stepId] !== run.id;) {
    const child = await findChildRun(db, run.redriveOf, stepId, item);
    if (child) return child;
    run = await findRunOfAnyTenant(db, run.redriveOf);
  }
  return null;
}
