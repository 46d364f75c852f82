// A run that ended badly becomes a new run, once: it keeps what succeeded and does the rest again under the same keys.
import type { FieldFault } from '../../contract/problem.ts';
import { isFinalRun } from '../../contract/run.ts';
import type { Database, Queryable } from '../../db/pool.ts';
import { lockRun, takeOver } from '../../db/run-redrive.ts';
import { type StepRow, stepsOfRuns } from '../../db/run-steps.ts';
import { findRun, insertRun, markRunRedriven, type NewRun, type RunRow } from '../../db/runs.ts';
import { findWorkflow } from '../../db/workflows.ts';
import { kindOf, type WorkflowDefinition } from '../../language/definition.ts';
import type { Plan } from '../../language/plan.ts';
import type { StepState } from '../../language/progress.ts';
import { planRedrive } from '../../language/redrive.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { IdempotencyKey } from '../accept.ts';
import type { EgressPolicy } from '../http/egress.ts';
import { once } from '../once.ts';
import { mapDefinition } from '../secrets/places.ts';
import { referencesOfDefinition, unknownSecrets } from '../secrets/references.ts';
import { type Sealer, setSealedAside } from '../secrets/sealer.ts';
import { mergePatch } from '../spec/merge.ts';
import { newRun } from './accept.ts';
import { inputFaults, parseDefinition } from './definition.ts';
import type { RunStarter } from './start.ts';
import { endedStatus } from './view.ts';

export interface RunRedriveRequest {
  fromStep: string | null;
  patch: { input?: unknown; definition?: unknown };
  version: number | null;
  /** Every step that is done again is new to its target. */
  newKey: boolean;
}

export type RunRefusal =
  | { kind: 'notFound' | 'alreadyRedriven' | 'keyReused' }
  | { kind: 'notRedrivable'; detail: string }
  | { kind: 'invalid'; code: 'validationFailed' | 'targetNotAllowed'; faults: FieldFault[] };

export type RunRedriven = { kind: 'created' | 'replayed'; runId: string; answer: string } | RunRefusal;

export type RedriveRun = ReturnType<typeof createRedriveRun>;

class Refused extends Error {
  override name = 'Refused';
  readonly refusal: RunRefusal;
  constructor(refusal: RunRefusal) {
    super(refusal.kind);
    this.refusal = refusal;
  }
}

export function createRedriveRun({
  db,
  runStarter,
  metrics,
  sealer,
  getPolicy,
  renderAnswer,
}: {
  db: Database;
  metrics: Metrics;
  runStarter: RunStarter;
  sealer: Sealer;
  getPolicy: () => EgressPolicy;
  renderAnswer: (run: NewRun, definition: WorkflowDefinition, steps: StepRow[]) => string;
}) {
  return async function redriveRun(
    tenant: string,
    runId: string,
    request: RunRedriveRequest,
    key: IdempotencyKey | null = null,
  ): Promise<RunRedriven> {
    let started: NewRun | null = null;
    try {
      const made = await once(db, tenant, key, async (tx) => {
        const old = await redrivable(tx, tenant, runId, request);
        const wanted = await wantedRun(tx, old, request, { sealer, policy: getPolicy() });
        const { run } = await redriveInto(tx, old, wanted, request);
        await markRunRedriven(tx, old.id, run.id);
        started = run;
        return { id: run.id, answer: renderAnswer(run, wanted.definition, await stepsOfRuns(tx, [run.id])) };
      });
      if (made.kind === 'keyReused') return made;
      if (started !== null && made.kind === 'created') {
        metrics.runsAccepted.inc({ tenant: metrics.tenantLabel(tenant) });
        runStarter.startSoon(started);
      }
      return { kind: made.kind, runId: made.id, answer: made.answer };
    } catch (error) {
      if (error instanceof Refused) return error.refusal;
      throw error;
    }
  };
}

export interface WantedRun {
  version: number | null;
  definition: WorkflowDefinition;
  plan: Plan;
  keepDefinition: boolean;
  input: unknown;
}

/** A new run in place of `old`, with what it keeps; `under` sets its place when it is a step of another run. */
export async function redriveInto(
  tx: Queryable,
  old: RunRow,
  wanted: WantedRun,
  { fromStep, newKey }: Pick<RunRedriveRequest, 'fromStep' | 'newKey'>,
  under: Partial<NewRun> = {},
): Promise<{ run: NewRun }> {
  const { definition, plan } = wanted;
  const states = await statesOf(tx, old);
  const { kept, again, newKeys } = planRedrive(definition, plan, states, fromStep ?? undefined);
  const { tenant, workflow, labels, priority, traceParent } = old;
  const fresh = newRun({ tenant, workflow, ...wanted, labels, priority, traceParent });
  const undone = (newKey ? again : newKeys).map((id) => [id, fresh.id] as const);
  const run: NewRun = {
    ...fresh,
    redriveOf: old.id,
    keyBase: old.keyBase,
    stepKeys: { ...old.stepKeys, ...Object.fromEntries(undone) },
    ...under,
  };
  if (!(await insertRun(tx, run))) return { run };
  await takeOver(tx, { from: old.id, to: run.id, kept, partly: partlyKept(wanted, states, again) });
  return { run };
}

/** Steps that ended short of some items, and whose items are the same again: nothing they are made from is made anew. */
function partlyKept(
  { definition, plan }: WantedRun,
  states: ReadonlyMap<string, StepState>,
  again: readonly string[],
): string[] {
  const isAgain = new Set(again);
  const isShort = new Set(again.filter((id) => ['failed', 'canceled'].includes(states.get(id)?.status ?? '')));
  const isMadeAnew = new Set(
    plan.steps.filter(({ needsOutput }) => needsOutput.some((id) => isAgain.has(id))).map(({ id }) => id),
  );
  return definition.steps
    .filter((step) => step.forEach !== undefined && ['http', 'workflow'].includes(kindOf(step)))
    .map(({ id }) => id)
    .filter((id) => isShort.has(id) && !isMadeAnew.has(id));
}

async function statesOf(tx: Queryable, { id, definition }: RunRow): Promise<Map<string, StepState>> {
  const rows = new Map((await stepsOfRuns(tx, [id])).map((step) => [step.id, step]));
  return new Map(
    definition.steps.map((step) => {
      const row = rows.get(step.id);
      return [step.id, { status: endedStatus(row), errorCode: row?.error?.code ?? null }];
    }),
  );
}

async function redrivable(
  tx: Queryable,
  tenant: string,
  runId: string,
  { fromStep }: RunRedriveRequest,
): Promise<RunRow> {
  const old = (await lockRun(tx, tenant, runId)) ? await findRun(tx, tenant, runId) : null;
  if (!old) throw new Refused({ kind: 'notFound' });
  if (old.redrivenAs !== null) throw new Refused({ kind: 'alreadyRedriven' });
  const refuse = (detail: string) => new Refused({ kind: 'notRedrivable', detail });
  if (!isFinalRun(old.status)) throw refuse('The run has not ended.');
  if (old.parentRunId !== null) throw refuse(`It is a step of ${old.parentRunId}: redrive that run.`);
  if (old.status === 'succeeded' && fromStep === null) throw refuse('The run succeeded: name the step to start from.');
  return old;
}

async function wantedRun(
  tx: Queryable,
  old: RunRow,
  { fromStep, patch, version }: RunRedriveRequest,
  { sealer, policy }: { sealer: Sealer; policy: EgressPolicy },
): Promise<WantedRun> {
  const invalid = (pointer: string, detail: string) =>
    new Refused({ kind: 'invalid', code: 'validationFailed', faults: [{ pointer, detail }] });
  const isStored = version !== null && old.workflow !== null;
  const stored = isStored ? await findWorkflow(tx, old.tenant, old.workflow ?? '', version) : null;
  if (version !== null && stored === null) throw invalid('/version', 'There is no such version.');
  const base = stored ?? old;
  const input = 'input' in patch ? mergePatch(old.input, patch.input) : old.input;
  const isPatched = patch.definition !== undefined;
  const aside = setSealedAside(base.definition, mapDefinition);
  const parsed = isPatched
    ? parseDefinition(mergePatch(aside.value, patch.definition), policy, '/patch/definition')
    : { ok: true as const, definition: base.definition, plan: base.plan };
  if (!parsed.ok) throw new Refused({ kind: 'invalid', code: parsed.code, faults: parsed.faults });
  const { plan } = parsed;
  const unknown = isPatched
    ? await unknownSecrets(tx, old.tenant, referencesOfDefinition(parsed.definition, '/patch/definition'))
    : [];
  if (unknown.length > 0) throw new Refused({ kind: 'invalid', code: 'validationFailed', faults: unknown });
  const definition = isPatched ? sealer.definition(old.tenant, aside.restore(parsed.definition)) : base.definition;
  if (fromStep !== null && !plan.order.includes(fromStep)) throw invalid('/fromStep', 'There is no such step.');
  const faults = inputFaults(definition, input, '/patch/input');
  if (faults.length > 0) throw new Refused({ kind: 'invalid', code: 'validationFailed', faults });
  return {
    version: stored?.version ?? old.version,
    definition,
    plan,
    input,
    keepDefinition: stored === null || isPatched,
  };
}
