// Decides a tick, once: it runs, or its row says why not. Whoever asks again gets what was decided.
import { isNominal } from '../../calendar/evaluator.ts';
import { nominalText } from '../../calendar/format.ts';
import type { ScheduleName, TickOutcome } from '../../contract/schedule.ts';
import { findJob, type JobRow, type NewJob } from '../../db/jobs.ts';
import type { Database, Queryable } from '../../db/pool.ts';
import { type LastFire, lockSchedule, type ScheduleRow } from '../../db/schedules.ts';
import { decideTick, findTick, openRuns, type TickRow } from '../../db/ticks.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { CancelJob } from '../cancel.ts';
import type { Starter } from '../start.ts';
import { missedReason, pausedReason } from './ledger.ts';
import { decideOverlap } from './overlap.ts';
import { insertRun } from './run.ts';
import { calendarOf, jitterMsOf, tickId, windowStartMs } from './timing.ts';

export interface FireDeps {
  db: Database;
  starter: Starter;
  cancel: CancelJob;
  metrics: Metrics;
  /** How late a tick may be and still count as on time; then the auditor begins to look for it. */
  graceMs: number;
}

export type Fired =
  | { kind: 'job'; job: JobRow | NewJob; outcome: TickOutcome; fresh: boolean }
  | { kind: 'none'; outcome: TickOutcome | 'notOurs'; fresh: boolean }
  /** Its policy wants these gone first. */
  | { kind: 'cancelFirst'; ids: string[] };

export type Fire = ReturnType<typeof createFire>;

/** Each round ends what runs; more than a few are needed only if others start as fast as we cancel. */
const CANCEL_ROUNDS = 5;

export function createFire({ db, starter, cancel, metrics, graceMs }: FireDeps) {
  /** `byTemporal`: its workflow runs already and waits for the answer; else the workflow is started here. */
  return async function fire(
    name: ScheduleName,
    nominalMs: number,
    { byTemporal }: { byTemporal: boolean },
  ): Promise<Exclude<Fired, { kind: 'cancelFirst' }>> {
    for (let round = 1; ; round++) {
      const fired = await db.transaction((tx) => decide(tx, name, nominalMs, { byTemporal, graceMs }));
      if (fired.kind === 'cancelFirst') {
        if (round === CANCEL_ROUNDS) throw new Error(`schedule ${name.id}: the runs before do not end`);
        for (const id of fired.ids) await cancel(name.tenant, id);
        continue;
      }
      if (fired.fresh) count(metrics, fired, nominalMs);
      if (fired.kind === 'job' && fired.fresh && !byTemporal && fired.job.status === 'queued') {
        starter.startSoon(fired.job);
      }
      return fired;
    }
  };
}

async function decide(
  tx: Queryable,
  name: ScheduleName,
  nominalMs: number,
  { byTemporal, graceMs }: { byTemporal: boolean; graceMs: number },
): Promise<Fired> {
  const id = tickId(name, nominalMs);
  const schedule = await lockSchedule(tx, name);
  const tick = await findTick(tx, id);
  if (tick?.outcome) return standing(tx, { ...tick, outcome: tick.outcome });
  if (!schedule || (!tick && !isOurs(schedule, nominalMs))) return { kind: 'none', outcome: 'notOurs', fresh: true };
  const none = async (outcome: TickOutcome, reason: string | null): Promise<Fired> => {
    await decideTick(tx, name, { id, nominalTime: new Date(nominalMs), outcome, reason, run: null });
    return { kind: 'none', outcome, fresh: true };
  };
  const backfilled = tick?.backfillOverlap ?? null;
  // What was due before a pause began is not held back by it.
  if (schedule.paused && !tick) return none('paused', pausedReason(schedule));
  if (!backfilled && nominalMs < windowStartMs(schedule.spec, Date.now())) {
    return none('missed', missedReason(schedule));
  }
  const verdict = decideOverlap(backfilled ?? schedule.spec.overlap, await openRuns(tx, name));
  if (verdict.kind === 'skip') return none('skippedOverlap', verdict.reason);
  if (verdict.kind === 'cancelFirst') return verdict;

  const now = new Date();
  const latenessMs = Math.max(0, now.getTime() - nominalMs);
  const onTime = latenessMs <= graceMs + jitterMsOf(schedule.spec);
  const outcome = backfilled ? 'backfilled' : onTime ? 'ran' : 'caughtUp';
  const run = runOf({ id, nominalMs, outcome, now });
  const job =
    (await insertRun(tx, schedule, { id, now, after: verdict.after })) ?? (await findJob(tx, name.tenant, id));
  if (!job) throw new Error(`job ${id} belongs to another tenant`);
  const reason = outcome === 'caughtUp' ? lateReason(byTemporal) : null;
  await decideTick(tx, name, { id, nominalTime: new Date(nominalMs), outcome, reason, run });
  return { kind: 'job', job, outcome, fresh: true };
}

/** By the law of our own evaluator, and not from before the schedule was made or changed. */
function isOurs({ spec, ledgerUntil }: ScheduleRow, nominalMs: number): boolean {
  return nominalMs >= ledgerUntil.getTime() && isNominal(calendarOf(spec), nominalMs);
}

async function standing(tx: Queryable, { tenant, jobId, outcome }: TickRow & { outcome: TickOutcome }): Promise<Fired> {
  const job = jobId === null ? null : await findJob(tx, tenant, jobId);
  return job ? { kind: 'job', job, outcome, fresh: false } : { kind: 'none', outcome, fresh: false };
}

export function runOf({
  id,
  nominalMs,
  outcome,
  now,
}: {
  id: string;
  nominalMs: number;
  outcome: TickOutcome;
  now: Date;
}): LastFire {
  return {
    nominalTime: nominalText(nominalMs),
    outcome,
    jobId: id,
    runId: null,
    startedAt: now.toISOString(),
    latenessMs: Math.max(0, now.getTime() - nominalMs),
  };
}

function lateReason(byTemporal: boolean): string {
  return byTemporal ? 'It was picked up late.' : 'Temporal had not fired it; the auditor started it.';
}

function count({ ticks, tickLateness, accepted }: Metrics, fired: Fired, nominalMs: number): void {
  if (fired.kind === 'cancelFirst') return;
  ticks.inc({ outcome: fired.outcome });
  if (fired.kind !== 'job') return;
  accepted.inc({ source: 'schedule' });
  if (fired.outcome !== 'backfilled') {
    tickLateness.observe(Math.max(0, fired.job.createdAt.getTime() - nominalMs) / 1_000);
  }
}
