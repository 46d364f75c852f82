// One attempt: open its row, make the call, write what came of it. The row comes first, so that a crash leaves a trace.
//
// A job is taken by openAttempt (waiting → running, with this attempt's id as token) and left by closeAttempt, which
// writes only while the token still matches. Whoever finds a job already taken concludes that the earlier attempt's
// worker is lost, and settles it by the same rules as any outcome nobody knows.
import { activityInfo, ApplicationFailure, Context, heartbeat, sleep } from '@temporalio/activity';

import type { AttemptInput, AttemptResult } from '../contract/temporal.ts';
import { isFinal } from '../contract/job.ts';
import { openAttempt } from '../db/attempts.ts';
import { findJobOfAnyTenant, type JobRow } from '../db/jobs.ts';
import { type Database, StoreUnavailableError } from '../db/pool.ts';
import { closeAttempt, type AttemptOutcome, type Verdict } from '../db/settle.ts';
import { newId } from '../jobs/ids.ts';
import type { FollowUp } from '../jobs/follow-up.ts';
import type { HttpSender } from '../jobs/http/send.ts';
import { type CallOutcome, judge } from '../jobs/verdict.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { InFlight } from './in-flight.ts';
import { outgoingRequest } from './outgoing.ts';
import { toCallOutcome } from './response.ts';

/** A local attempt holds its workflow task: it may not wait for the store any longer than this. */
const LOCAL_STORE_WAIT_MS = 4_000;
const HEARTBEAT_EVERY_MS = 2_500;

export interface AttemptDeps {
  db: Database;
  sender: HttpSender;
  followUp: FollowUp;
  inFlight: InFlight;
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

export function createAttempt(deps: AttemptDeps) {
  const record = createRecord(deps);

  return async function attempt({ jobId, plan }: AttemptInput): Promise<AttemptResult> {
    const stopHeartbeat = keepAlive();
    const attemptId = newId('att');
    const storeWaitMs = isLocal() ? LOCAL_STORE_WAIT_MS : Infinity;
    try {
      const opened = await patiently(storeWaitMs, () => open(deps, jobId, attemptId));
      if (opened === null) return { kind: 'unopened' };
      const { job, fresh } = opened;
      if (!job) return { kind: 'final', status: 'canceled', reason: null, detail: 'there is no such job' };
      if (isFinal(job.status)) return finalResult(job.status, null);
      if (!fresh) return await record.settle(job, job.attemptId ?? attemptId, WORKER_LOST, storeWaitMs);
      const outcome = await call(deps, job, attemptId, plan.timeoutMs);
      return await record.settle(job, attemptId, outcome, storeWaitMs);
    } finally {
      stopHeartbeat();
    }
  };
}

const WORKER_LOST: CallOutcome = {
  kind: 'unknown',
  code: 'workerLost',
  detail: 'no result arrived from the worker that made the call',
};

/** `fresh` when this attempt took the job; else the job as someone else has left it. */
async function open(
  { db, worker }: AttemptDeps,
  jobId: string,
  attemptId: string,
): Promise<{ job: JobRow | null; fresh: boolean }> {
  const taken = await openAttempt(db, { jobId, attemptId, worker });
  if (taken) return { job: taken, fresh: true };
  const job = await findJobOfAnyTenant(db, jobId);
  // Taken by this very attempt when the answer to an earlier try was lost.
  return { job, fresh: job?.attemptId === attemptId };
}

async function call(
  { sender, inFlight, metrics }: AttemptDeps,
  job: JobRow,
  attemptId: string,
  timeoutMs: number,
): Promise<CallOutcome> {
  const openedAt = performance.now();
  const untilDeadlineMs = job.deadlineAt ? job.deadlineAt.getTime() - Date.now() : Infinity;
  const allowedMs = Math.min(timeoutMs, untilDeadlineMs);
  if (allowedMs <= 0) return { kind: 'notSent', code: 'timeout', detail: 'the deadline passed before the call' };
  const flight = inFlight.begin(job.id, attemptId);
  try {
    const request = outgoingRequest(job, plainHeaders);
    // A frozen process that wakes up late must not send what others have given up on.
    if (performance.now() - openedAt > allowedMs) {
      return { kind: 'notSent', code: 'timeout', detail: 'the worker was stopped before the call' };
    }
    const signal = AbortSignal.any([flight.signal, cancellation()]);
    const outcome = await sender.send(request, { timeoutMs: allowedMs, signal });
    metrics.attempts.inc({
      outcome: outcome.kind,
      status_class: outcome.kind === 'answered' ? `${Math.floor(outcome.status / 100)}xx` : 'none',
    });
    metrics.attemptSeconds.observe((performance.now() - openedAt) / 1_000);
    return toCallOutcome(outcome);
  } finally {
    flight.end();
  }
}

function plainHeaders({ headers }: JobRow['spec']['http']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      if (typeof value === 'string') return [name, value];
      throw ApplicationFailure.nonRetryable(`the header ${name} names a secret, and there is no secret store`);
    }),
  );
}

function createRecord({ db, followUp, metrics }: AttemptDeps) {
  const settle = async (
    job: JobRow,
    attemptId: string,
    outcome: CallOutcome,
    storeWaitMs: number,
  ): Promise<AttemptResult> => {
    if (outcome === WORKER_LOST) metrics.lostAttempts.inc();
    const verdict = judge(job, outcome, new Date());
    const attemptOutcome = summarize(outcome, verdict);
    const written = await patiently(storeWaitMs, () =>
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
    const settled = await closeAttempt(db, { id: attemptId, jobId }, outcome, verdict);
    if (!settled) return standing(jobId);
    if (verdict.status === 'retrying') {
      metrics.retries.inc();
      return { kind: 'retry', atMs: nextAttemptAtMs ?? Date.now() };
    }
    const reason = verdict.deadLetter?.reason ?? null;
    await followUp.finished(jobId, verdict.status, settled, reason);
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
    return { kind: 'retry', atMs: job.nextAttemptAt?.getTime() ?? Date.now() + 1_000 };
  };

  return { settle, write };
}

/** Writes what an attempt could not write itself; retried by Temporal until the store is back. */
export function createRecordAttempt(deps: AttemptDeps) {
  const { write } = createRecord(deps);
  return async (record: unknown): Promise<AttemptResult> => write(record as AttemptRecord);
}

function summarize(outcome: CallOutcome, verdict: Verdict): AttemptOutcome {
  const answered = outcome.kind === 'answered' ? outcome.result : null;
  return {
    outcome: outcome.kind,
    httpStatus: answered?.status ?? null,
    error: verdict.error,
    durationMs: answered?.durationMs ?? null,
  };
}

function toPlain({ nextAttemptAt, ...rest }: Verdict): AttemptRecord['verdict'] {
  return { ...rest, nextAttemptAtMs: nextAttemptAt?.getTime() ?? null };
}

function finalResult(status: string, reason: string | null, detail: string | null = null): AttemptResult {
  return { kind: 'final', status, reason, detail };
}

/** Repeats `work` while the store is away; null when `waitMs` ran out. */
async function patiently<T>(waitMs: number, work: () => Promise<T>): Promise<T | null> {
  const endsAt = performance.now() + waitMs;
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 2_000)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      if (performance.now() + pauseMs > endsAt) return null;
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

function cancellation(): AbortSignal {
  return Context.current().cancellationSignal;
}
