// One call of a run: a job row like any other, made with its first attempt; its answer becomes the step's output.
import { currentMs, currentTime } from '../clock.ts';
import type { JobSpec } from '../contract/job.ts';
import type { StoredError } from '../contract/problem.ts';
import {
  INLINE_OUTPUT_BYTES,
  MAX_OUTPUT_BYTES,
  runError,
  type StepCall,
  type StepCallResult,
  type StepEnd,
} from '../contract/run.ts';
import type { JobPlan } from '../contract/temporal.ts';
import { openAttempt } from '../db/attempts.ts';
import { writeFailedItems } from '../db/failed-items.ts';
import { findJobOfAnyTenant, type StoredResult } from '../db/jobs.ts';
import { findRunOfAnyTenant } from '../db/runs.ts';
import type { Verdict } from '../db/settle.ts';
import { isHeldBack, openFirstCall } from '../db/step-calls.ts';
import type { EgressPolicy } from '../jobs/http/egress.ts';
import { mapJob } from '../jobs/secrets/places.ts';
import { type Sealer, setSealedAside } from '../jobs/secrets/sealer.ts';
import { parseJobSpec } from '../jobs/spec/parse-job-spec.ts';
import { type AttemptDeps, createAttempt, createRecordAttempt } from './attempt.ts';

export interface RunCallDeps extends AttemptDeps {
  sealer: Sealer;
  getPolicy: () => EgressPolicy;
}

const HELD_LOOK_MS = 500;

/** A step that ended: nobody depends on it but its run, which hears of it here. */
const NO_FOLLOW_UP: AttemptDeps['followUp'] = {
  finished: async () => {},
  released: async () => {},
  batchMayBeDone: async () => {},
  decideAll: async () => 0,
};

export function createRunCalls(deps: RunCallDeps) {
  const { db, sealer, worker, getPolicy } = deps;
  const attempt = createAttempt({ ...deps, followUp: NO_FOLLOW_UP });
  const record = createRecordAttempt({ ...deps, followUp: NO_FOLLOW_UP });

  return {
    async callStep(call: StepCall): Promise<StepCallResult> {
      const { jobId, runId, stepId, itemIndex, outboundKey } = call;
      // What expressions made is checked like what a stranger sent.
      const aside = setSealedAside(call.spec, mapJob);
      const parsed = parseJobSpec(aside.value, { policy: getPolicy(), now: currentTime() });
      if (!parsed.ok) {
        const error = refusal(parsed.code, parsed.faults);
        if (itemIndex !== null) await writeFailedItems(db, { runId, stepId, items: [{ index: itemIndex, error }] });
        return { kind: 'final', end: { status: 'failed', errorCode: error.code, bytes: 0, error } };
      }
      const spec = await sealed(runId, aside.restore(parsed.spec));
      const host = new URL(spec.http.url).hostname;
      let verdict: Verdict | null = null;
      let isHeld = false;
      const attempted = await attempt(
        { jobId, plan: planFor(call.timeoutMs) },
        {
          take: async (attemptId) => {
            const first = { jobId, runId, stepId, itemIndex, outboundKey, spec, host, attemptId, worker };
            const taken = (await openFirstCall(db, first)) ?? (await openAttempt(db, { jobId, attemptId, worker }));
            isHeld = taken === null && (await isHeldBack(db, call));
            return taken;
          },
          review: (given) => (verdict = withinSize(given)),
        },
      );
      // The workflow hears of the pause in between, and waits for its end.
      if (isHeld) return { kind: 'retry', atMs: currentMs() + HELD_LOOK_MS };
      if (attempted.kind !== 'final') return attempted;
      return { kind: 'final', end: await endOf(call, attempted.status, verdict) };
    },

    /** Writes what `callStep` could not. */
    async recordCall({ record: unwritten, call }: { record: unknown; call: StepCall }): Promise<StepCallResult> {
      const recorded = await record(unwritten);
      if (recorded.kind !== 'final') return recorded;
      return { kind: 'final', end: await endOf(call, recorded.status, null) };
    },
  };

  /** What expressions put into sensitive headers is not stored as it is either. */
  async function sealed(runId: string, spec: JobSpec): Promise<JobSpec> {
    if (!sealer.needsSeal(spec)) return spec;
    const run = await findRunOfAnyTenant(db, runId);
    return run ? sealer.job(run.tenant, spec) : spec;
  }

  async function endOf(call: StepCall, status: string, verdict: Verdict | null): Promise<StepEnd> {
    const row = verdict?.status === status ? verdict : await findJobOfAnyTenant(db, call.jobId);
    if (status === 'canceled') return { status: 'canceled', errorCode: 'canceled', bytes: 0 };
    if (status !== 'succeeded') return { status: 'failed', errorCode: row?.error?.code ?? status, bytes: 0 };
    return succeeded(row?.result ?? null, call.wantsOutput);
  }
}

/** JSON as JSON, text as text, anything else as base64; null where the target sent nothing. */
export function outputOf(result: StoredResult | null): unknown {
  return result?.body ?? result?.bodyText ?? result?.bodyBase64 ?? null;
}

/** Before it is written, so that the row of the call says the same as the step. */
function withinSize(verdict: Verdict): Verdict {
  if (verdict.status !== 'succeeded' || !isTooLarge(verdict.result, bytesOf(verdict.result))) return verdict;
  return { ...verdict, status: 'failed', error: outputTooLarge() };
}

function isTooLarge(result: StoredResult | null, bytes: number): boolean {
  return bytes > MAX_OUTPUT_BYTES || (result?.truncated === true && bytes >= MAX_OUTPUT_BYTES / 2);
}

function bytesOf(result: StoredResult | null): number {
  return Buffer.byteLength(JSON.stringify(outputOf(result)));
}

function succeeded(result: StoredResult | null, wantsOutput: boolean): StepEnd {
  const bytes = bytesOf(result);
  // Rows of earlier versions say of such a call that it succeeded.
  if (isTooLarge(result, bytes)) {
    return { status: 'failed', errorCode: 'outputTooLarge', bytes: 0, error: outputTooLarge() };
  }
  const isInline = wantsOutput && bytes <= INLINE_OUTPUT_BYTES;
  return { status: 'succeeded', errorCode: null, bytes, ...(isInline ? { output: outputOf(result) } : {}) };
}

export function outputTooLarge(): StoredError {
  return runError('outputTooLarge', 'The output is too large', 'An output has at most 64 KiB, those of a run 8 MiB.');
}

function refusal(code: string, faults: { pointer: string; detail: string }[]): StoredError {
  const detail = faults.map(({ pointer, detail: fault }) => `${pointer}: ${fault}`).join(' ');
  const title = code === 'targetNotAllowed' ? 'The target is not allowed' : 'The call is not valid';
  return runError(code, title, detail.slice(0, 1_000));
}

function planFor(timeoutMs: number): JobPlan {
  return { runAtMs: null, deadlineAtMs: null, timeoutMs, firstAttempt: 'local' };
}
