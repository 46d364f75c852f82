// Decides a tick, once: it runs, or its row says why not. Whoever asks again gets what was decided.
import { isNominal } from '../../calendar/evaluator.ts';
import { nominalText } from '../../calendar/format.ts';
import { currentMs, currentTime } from '../../clock.ts';
import type { ScheduleName, TickOutcome } from '../../contract/schedule.ts';
import { findJob, type JobRow, type NewJob } from '../../db/jobs.ts';
import type { Database, Queryable } from '../../db/pool.ts';
import { findRun, type NewRun, type RunRow } from '../../db/runs.ts';
import { type LastFire, lockSchedule, type ScheduleRow } from '../../db/schedules.ts';
import { decideTick, findTick, letWait, type OpenRun, openRuns, skipWaiting, type TickRow } from '../../db/ticks.ts';
import { reach } from '../../failpoint.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { CancelJob } from '../cancel.ts';
import type { RunControls } from '../runs/control.ts';
import type { RunStarter } from '../runs/start.ts';
import type { Starter } from '../start.ts';
import { missedReason, pausedReason } from './ledger.ts';
import { decideOverlap } from './overlap.ts';
import { makeRun } from './run.ts';
import { calendarOf, jitterMsOf, tickId, windowStartMs } from './timing.ts';

export interface FireDeps {
  db: Database;
  starter: Starter;
  runStarter: RunStarter;
  cancel: CancelJob;
  cancelRun: RunControls['cancel'];
  metrics: Metrics;
}

/** A tick that is later has been caught up. */
const ON_TIME_MS = 10_000;

/** The workflow that is to be the job's own, one that only brings the tick, or the auditor because neither came. */
export type FiredBy = 'ownWorkflow' | 'messenger' | 'auditor';

/** `latenessMs` null: decided before, or late because it was asked for late or waited for its turn. */
type Started = { outcome: TickOutcome; fresh: boolean; latenessMs: number | null };
type Answered =
  | ({ kind: 'job'; job: JobRow | NewJob } & Started)
  | ({ kind: 'run'; run: RunRow | NewRun } & Started)
  | { kind: 'none'; outcome: TickOutcome | 'notOurs'; fresh: boolean }
  /** Until earlier runs have ended; then the auditor fires it. */
  | { kind: 'waits' };
/** Its policy wants these gone first. */
export type Fired = Answered | { kind: 'cancelFirst'; runs: OpenRun[] };

export type Fire = ReturnType<typeof createFire>;

/** Each round ends what runs; more than a few are needed only if others start as fast as we cancel. */
const CANCEL_ROUNDS = 5;

export function createFire({ db, starter, runStarter, cancel, cancelRun, metrics }: FireDeps) {
  return async function fire(name: ScheduleName, nominalMs: number, by: FiredBy): Promise<Answered> {
    for (let round = 1; ; round++) {
      const fired = await db.transaction((tx) => decide(tx, name, nominalMs, by));
      if (fired.kind === 'cancelFirst') {
        if (round === CANCEL_ROUNDS) throw new Error(`schedule ${name.id}: the runs before do not end`);
        for (const { kind, id } of fired.runs) await (kind === 'run' ? cancelRun : cancel)(name.tenant, id);
        continue;
      }
      if (fired.kind === 'waits' || !fired.fresh) return fired;
      reach('schedule.fired');
      count(metrics, name.tenant, fired);
      if (fired.kind === 'job' && by !== 'ownWorkflow' && fired.job.status === 'queued') starter.startSoon(fired.job);
      if (fired.kind === 'run') runStarter.startSoon(fired.run);
      return fired;
    }
  };
}

async function decide(tx: Queryable, name: ScheduleName, nominalMs: number, by: FiredBy): Promise<Fired> {
  const id = tickId(name, nominalMs);
  const schedule = await lockSchedule(tx, name);
  const tick = await findTick(tx, id);
  if (tick?.outcome) return standing(tx, { ...tick, outcome: tick.outcome });
  if (!schedule || (!tick && !isOurs(schedule, nominalMs))) return { kind: 'none', outcome: 'notOurs', fresh: true };
  const { spec } = schedule;
  // It was to be a job when Temporal fired it. A run cannot have the id of a workflow that runs: the auditor is next.
  if (spec.workflow && by === 'ownWorkflow') return { kind: 'none', outcome: 'notOurs', fresh: false };
  const none = async (outcome: TickOutcome, reason: string | null): Promise<Fired> => {
    await decideTick(tx, name, { id, nominalTime: new Date(nominalMs), outcome, reason, run: null });
    return { kind: 'none', outcome, fresh: true };
  };
  const backfilled = tick?.backfillOverlap ?? null;
  // What was due before a pause began is not held back by it.
  if (schedule.paused && !tick) return none('paused', pausedReason(schedule));
  if (!backfilled && !tick?.waitingSince && nominalMs < windowStartMs(spec, currentMs())) {
    return none('missed', missedReason(schedule));
  }
  const open = await openRuns(tx, name, tick?.waitingSince ? tick.nominalTime : null);
  const verdict = decideOverlap(backfilled ?? spec.overlap, open);
  if (verdict.kind === 'skip') return none('skippedOverlap', verdict.reason);
  if (verdict.kind === 'cancelFirst') return dropWaiting(tx, name, verdict.runs, id);
  const { after } = verdict;
  // Only a job can wait as a row of its own, and only for a job; all else waits as a tick.
  if (after && (spec.workflow || after.kind !== 'job')) {
    await letWait(tx, name, { id, nominalMs, now: currentTime() });
    return { kind: 'waits' };
  }
  return start(tx, schedule, { id, nominalMs, tick, after: after?.id ?? null, by });
}

interface Start {
  id: string;
  nominalMs: number;
  tick: TickRow | null;
  after: string | null;
  by: FiredBy;
}

async function start(tx: Queryable, schedule: ScheduleRow, { id, nominalMs, tick, after, by }: Start): Promise<Fired> {
  const now = currentTime();
  const { waitingSince = null, backfillOverlap: backfilled = null } = tick ?? {};
  const latenessMs = Math.max(0, (waitingSince ?? now).getTime() - nominalMs);
  const onTime = latenessMs <= ON_TIME_MS + jitterMsOf(schedule.spec);
  const outcome = backfilled ? 'backfilled' : onTime ? 'ran' : 'caughtUp';
  const decision = { id, nominalTime: new Date(nominalMs) };
  const made = await makeRun(tx, schedule, { id, now, after });
  if (made.kind === 'refused') {
    const reason = `${made.fault.pointer}: ${made.fault.detail}`;
    await decideTick(tx, schedule, { ...decision, outcome: 'missed', reason, run: null });
    return { kind: 'none', outcome: 'missed', fresh: true };
  }
  const begun = made.kind === 'taken' ? await existing(tx, schedule, id) : made;
  const run = runOf({ id, kind: begun.kind, nominalMs, outcome, now });
  const reason = waitingSince ? 'It waited for its turn.' : outcome === 'caughtUp' ? lateReason(by) : null;
  await decideTick(tx, schedule, { ...decision, outcome, reason, run });
  return { ...begun, outcome, fresh: true, latenessMs: backfilled || waitingSince ? null : latenessMs };
}

async function existing(tx: Queryable, { tenant, spec }: ScheduleRow, id: string) {
  const run = spec.workflow && (await findRun(tx, tenant, id));
  if (run) return { kind: 'run' as const, run };
  const job = spec.job && (await findJob(tx, tenant, id));
  if (job) return { kind: 'job' as const, job };
  throw new Error(`${id} belongs to another tenant`);
}

/** Ticks that wait give way here, under the lock; what runs is canceled outside. */
async function dropWaiting(tx: Queryable, name: ScheduleName, open: OpenRun[], id: string): Promise<Fired> {
  const waiting = open.filter(({ kind }) => kind === 'tick').map((tick) => tick.id);
  if (waiting.length > 0) await skipWaiting(tx, name, waiting, `It gave way to ${id}.`);
  return { kind: 'cancelFirst', runs: open.filter(({ kind }) => kind !== 'tick') };
}

/** By the law of our own evaluator, and not from before the schedule was made or changed. */
function isOurs({ spec, ledgerUntil }: ScheduleRow, nominalMs: number): boolean {
  return nominalMs >= ledgerUntil.getTime() && isNominal(calendarOf(spec), nominalMs);
}

async function standing(
  tx: Queryable,
  { tenant, jobId, runId, outcome }: TickRow & { outcome: TickOutcome },
): Promise<Fired> {
  const before = { outcome, fresh: false, latenessMs: null };
  const run = runId === null ? null : await findRun(tx, tenant, runId);
  if (run) return { kind: 'run', run, ...before };
  const job = jobId === null ? null : await findJob(tx, tenant, jobId);
  return job ? { kind: 'job', job, ...before } : { kind: 'none', outcome, fresh: false };
}

export function runOf({
  id,
  kind,
  nominalMs,
  outcome,
  now,
}: {
  id: string;
  kind: 'job' | 'run';
  nominalMs: number;
  outcome: TickOutcome;
  now: Date;
}): LastFire {
  return {
    nominalTime: nominalText(nominalMs),
    outcome,
    jobId: kind === 'job' ? id : null,
    runId: kind === 'run' ? id : null,
    startedAt: now.toISOString(),
    latenessMs: Math.max(0, now.getTime() - nominalMs),
  };
}

function lateReason(by: FiredBy): string {
  return by === 'auditor' ? 'Temporal had not fired it; the auditor started it.' : 'It was picked up late.';
}

function count(metrics: Metrics, inTenant: string, fired: Exclude<Answered, { kind: 'waits' }>): void {
  metrics.ticks.inc({ outcome: fired.outcome });
  if (fired.kind === 'none') return;
  const tenant = metrics.tenantLabel(inTenant);
  if (fired.kind === 'job') metrics.accepted.inc({ tenant, source: 'schedule' });
  else metrics.runsAccepted.inc({ tenant });
  if (fired.latenessMs !== null) metrics.tickLateness.observe(fired.latenessMs / 1_000);
}
