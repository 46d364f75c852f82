// One attempt: open its row, make the call, write what came of it. The row comes first, so that a crash leaves a trace.
//
// A job is taken by openAttempt (waiting → running, with this attempt's id as token) and left by closeAttempt, which
// writes only while the token still matches. Whoever finds a job already taken concludes that the earlier attempt's
// worker is lost, and settles it by the same rules as any outcome nobody knows.
import { setTimeout as sleep } from 'node:timers/promises';

import { activityInfo, Context, heartbeat } from '@temporalio/activity';

import { currentMs, currentTime } from '../clock.ts';
import { isFinal } from '../contract/job.ts';
import type { AttemptInput, AttemptResult } from '../contract/temporal.ts';
import type { GroupWrites } from '../db/group-writes.ts';
import { findJobOfAnyTenant, type JobRow } from '../db/jobs.ts';
import { type Database, StoreUnavailableError } from '../db/pool.ts';
import type { AttemptOutcome, Verdict } from '../db/settle.ts';
import { reach } from '../failpoint.ts';
import type { FollowUp } from '../jobs/follow-up.ts';
import type { Gate } from '../jobs/gate.ts';
import type { HttpSender } from '../jobs/http/send.ts';
import { newId } from '../jobs/ids.ts';
import { withoutEchoes } from '../jobs/secrets/echoes.ts';
import type { ResolveHeaders } from '../jobs/secrets/resolve.ts';
import { type CallOutcome, judge } from '../jobs/verdict.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { settlesItself } from './earlier-attempt.ts';
import type { InFlight } from './in-flight.ts';
import { causeOf, countCall, countStart } from './measure.ts';
import { outgoingRequest } from './outgoing.ts';
import { toCallOutcome } from './response.ts';
import { tenantOfTask } from './tenant-of-task.ts';

/** A local attempt holds its workflow task: it may not wait for the store any longer than this. */
const LOCAL_STORE_WAIT_MS = 4_000;
/** Only a workflow that registered itself (adopted, or of a schedule) can find its job waiting for others. */
const BLOCKED_LOOK_MS = 15_000;
/** A quarter of the workflow tasks: more would let slow targets hold up all others. The rest are regular activities. */
const SLOW_LOCAL_AT_ONCE = 50;
const HEARTBEAT_EVERY_MS = 2_500;
/** Then the workflow asks again, perhaps another worker that has more room. */
const GATE_WAIT_MS = 10_000;

export interface AttemptDeps {
  db: Database;
  writes: GroupWrites;
  sender: HttpSender;
  resolveHeaders: ResolveHeaders;
  followUp: FollowUp;
  inFlight: InFlight;
  /**
   * A place is taken before an attempt is opened, not before its call: what waits there is in nobody's way, and has
   * neither used up an attempt nor begun its timeout.
   */
  gate: Gate;
  /** What can still be left to others is. */
  isClosing: () => boolean;
  metrics: Metrics;
  worker: string;
}

/** What could not be written at once; carried in the workflow's history until it is. */
export interface AttemptRecord {
  attemptId: string;
  jobId: string;
  outcome: AttemptOutcome;
  verdict: Omit<Verdict, 'nextAttemptAt'> & { nextAttemptAtMs: number | null };
}

/** What a call needs of a job. */
export type CalledJob = Pick<
  JobRow,
  'id' | 'tenant' | 'spec' | 'host' | 'attempts' | 'deadlineAt' | 'outboundKey' | 'traceParent'
>;

/** What differs for a call that is a step of a run. */
export interface AttemptHooks {
  /** Takes the job, or makes it and takes it; null when neither was possible. */
  take?: (attemptId: string) => Promise<JobRow | null>;
  /** The last word on an attempt, before it is written. */
  review?: (verdict: Verdict) => Verdict;
}

export function createAttempt(deps: AttemptDeps) {
  const record = createRecord(deps);

  return async function attempt({ jobId, plan }: AttemptInput, hooks: AttemptHooks = {}): Promise<AttemptResult> {
    const stopHeartbeat = keepAlive();
    const attemptId = newId('att');
    const storeWaitMs = isLocal() ? LOCAL_STORE_WAIT_MS : Infinity;
    if (isLocal() && deps.inFlight.slowLocalCount() >= SLOW_LOCAL_AT_ONCE) return { kind: 'unopened' };
    if (!(await enter(deps.gate))) {
      stopHeartbeat();
      return { kind: 'unopened' };
    }
    const release = deps.inFlight.hold(attemptId, { local: isLocal() });
    try {
      reach('attempt.begin');
      const opened = await patiently(deps, storeWaitMs, () => open(deps, jobId, attemptId, hooks.take));
      if (opened === null) return { kind: 'unopened' };
      const { job, fresh } = opened;
      if (!job) return { kind: 'final', status: 'canceled', reason: null, detail: 'there is no such job' };
      if (isFinal(job.status)) return finalResult(job.status, null);
      if (job.status === 'blocked') return { kind: 'retry', atMs: currentMs() + BLOCKED_LOOK_MS };
      if (!fresh && (await settlesItself(deps, job, plan.timeoutMs))) return await record.standing(jobId);
      if (!fresh) return await record.settle(job, job.attemptId ?? attemptId, WORKER_LOST, storeWaitMs, hooks);
      if (!hooks.take) countStart(deps.metrics, job);
      reach('attempt.claimed');
      const outcome = await call(deps, job, attemptId, plan.timeoutMs);
      reach('attempt.answered');
      return await record.settle(job, attemptId, outcome, storeWaitMs, hooks);
    } finally {
      release();
      deps.gate.leave();
      stopHeartbeat();
    }
  };
}

/** A local attempt does not wait: its workflow tries again, in line. */
async function enter(gate: Gate): Promise<boolean> {
  return isLocal() ? gate.tryEnter() : (await gate.enter(1, GATE_WAIT_MS, tenantOfTask())) === 1;
}

export const WORKER_LOST: CallOutcome = {
  kind: 'unknown',
  code: 'workerLost',
  detail: 'no result arrived from the worker that made the call',
  durationMs: null,
};

/** `fresh` when this attempt took the job; else the job as someone else has left it. */
async function open(
  { db, writes, metrics, worker }: AttemptDeps,
  jobId: string,
  attemptId: string,
  take = (id: string) => writes.openAttempt({ jobId, attemptId: id, worker }),
): Promise<{ job: JobRow | null; fresh: boolean }> {
  const taken = await take(attemptId);
  metrics.claims.inc({ result: taken ? 'claimed' : 'skipped' });
  if (taken) return { job: taken, fresh: true };
  const job = await findJobOfAnyTenant(db, jobId);
  // Taken by this very attempt when the answer to an earlier try was lost.
  return { job, fresh: job?.attemptId === attemptId };
}

export async function call(
  { sender, resolveHeaders, inFlight, metrics }: AttemptDeps,
  job: CalledJob,
  attemptId: string,
  timeoutMs: number,
  /** Null where the caller cuts off its calls itself, which is cheaper when they are many. */
  outer: AbortSignal | null = cutOff(),
): Promise<CallOutcome> {
  const openedAt = performance.now();
  const untilDeadlineMs = job.deadlineAt ? job.deadlineAt.getTime() - currentMs() : Infinity;
  const allowedMs = Math.min(timeoutMs, untilDeadlineMs);
  if (allowedMs <= 0) return notCalled('the deadline passed before the call');
  const flight = inFlight.begin(job.id, attemptId);
  try {
    const resolved = await resolveHeaders(job.tenant, job.spec.http.headers);
    if (!resolved.ok) return { kind: 'notSent', code: resolved.code, detail: resolved.detail, durationMs: null };
    const request = outgoingRequest(job, resolved);
    // A frozen process that wakes up late must not send what others have given up on.
    if (performance.now() - openedAt > allowedMs) {
      return notCalled('the worker was stopped before the call');
    }
    if (outer?.aborted) flight.cut();
    outer?.addEventListener('abort', flight.cut);
    const outcome = await sender.send(request, { timeoutMs: allowedMs, signal: flight.signal });
    countCall(metrics, job, outcome, performance.now() - openedAt);
    return toCallOutcome(withoutEchoes(outcome, resolved.echoes));
  } finally {
    outer?.removeEventListener('abort', flight.cut);
    flight.end();
  }
}

export function notCalled(detail: string): CallOutcome {
  return { kind: 'notSent', code: 'timeout', detail, durationMs: null };
}

function createRecord(deps: AttemptDeps) {
  const { db, writes, followUp, inFlight, metrics } = deps;
  const settle = async (
    job: JobRow,
    attemptId: string,
    outcome: CallOutcome,
    storeWaitMs: number,
    { review = (given) => given }: AttemptHooks,
  ): Promise<AttemptResult> => {
    const verdict = review(judge(job, outcome, currentTime()));
    if (outcome === WORKER_LOST) metrics.lostAttempts.inc();
    else inFlight.count(verdict.status === 'succeeded');
    const attemptOutcome = summarize(outcome, verdict);
    const written = await patiently(deps, storeWaitMs, () =>
      write({ attemptId, jobId: job.id, outcome: attemptOutcome, verdict: toPlain(verdict) }),
    );
    return (
      written ?? {
        kind: 'unrecorded',
        record: { attemptId, jobId: job.id, outcome: attemptOutcome, verdict: toPlain(verdict) },
      }
    );
  };

  const write = async ({ attemptId, jobId, outcome, verdict: plain }: AttemptRecord): Promise<AttemptResult> => {
    const { nextAttemptAtMs, ...rest } = plain;
    const verdict: Verdict = { ...rest, nextAttemptAt: nextAttemptAtMs === null ? null : new Date(nextAttemptAtMs) };
    const settled = await writes.closeAttempt({ attemptId, jobId, outcome, verdict });
    if (!settled) return standing(jobId);
    reach('attempt.recorded');
    if (verdict.status === 'retrying') {
      metrics.retries.inc({ host: metrics.hostLabel(settled.host), cause: causeOf(verdict) });
      return { kind: 'retry', atMs: nextAttemptAtMs ?? currentMs() };
    }
    const reason = verdict.deadLetter?.reason ?? null;
    await followUp.finished(jobId, verdict.status, settled, reason);
    reach('attempt.done');
    return finalResult(verdict.status, reason, verdict.error?.title);
  };

  /** Someone else decided, or our own earlier try did and its answer was lost: the row says what holds. */
  const standing = async (jobId: string): Promise<AttemptResult> => {
    const job = await findJobOfAnyTenant(db, jobId);
    if (!job || isFinal(job.status)) {
      if (job?.status === 'canceled') metrics.zombieWrites.inc();
      return finalResult(job?.status ?? 'canceled', null);
    }
    if (job.attemptId !== null) metrics.zombieWrites.inc();
    return { kind: 'retry', atMs: job.nextAttemptAt?.getTime() ?? currentMs() + 1_000 };
  };

  return { settle, write, standing };
}

/** Writes what an attempt could not write itself; retried by Temporal until the store is back. */
export function createRecordAttempt(deps: AttemptDeps) {
  const { write } = createRecord(deps);
  return async (record: unknown): Promise<AttemptResult> => write(record as AttemptRecord);
}

export function summarize(outcome: CallOutcome, verdict: Verdict): AttemptOutcome {
  const { status, durationMs } = outcome.kind === 'answered' ? outcome.result : { ...outcome, status: null };
  return { outcome: outcome.kind, httpStatus: status, error: verdict.error, durationMs };
}

function toPlain({ nextAttemptAt, ...rest }: Verdict): AttemptRecord['verdict'] {
  return { ...rest, nextAttemptAtMs: nextAttemptAt?.getTime() ?? null };
}

function finalResult(status: string, reason: string | null, detail: string | null = null): AttemptResult {
  return { kind: 'final', status, reason, detail };
}

/** Repeats `work` while the store is away; null when `waitMs` ran out, or the grace of a process that ends. */
export async function patiently<T>(
  { inFlight }: Pick<AttemptDeps, 'inFlight'>,
  waitMs: number,
  work: () => Promise<T>,
): Promise<T | null> {
  const endsAt = performance.now() + waitMs;
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 2_000)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      const isCut = cutOff()?.aborted === true || (!isLocal() && inFlight.isCut());
      if (isCut || performance.now() + pauseMs > endsAt) return null;
      await sleep(pauseMs);
    }
  }
}

function keepAlive(): () => void {
  if (isLocal()) return () => {};
  const timer = setInterval(() => heartbeat(), HEARTBEAT_EVERY_MS);
  return () => clearInterval(timer);
}

function isLocal(): boolean {
  return activityInfo().isLocal;
}

/**
 * Temporal cancels a local activity also when a busy worker was late with its workflow task. The call goes on all the
 * same: to cut it off and send it again would help nobody. Cancels by users and the end of the grace come through InFlight.
 */
function cutOff(): AbortSignal | null {
  return isLocal() ? null : Context.current().cancellationSignal;
}
