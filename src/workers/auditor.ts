// The auditor: sees to it that every nominal time gets its row, and that Temporal's schedules are what ours say.
import type { Client } from '@temporalio/client';

import { nextAfter } from '../calendar/evaluator.ts';
import { currentMs, currentTime } from '../clock.ts';
import { type Database, StoreUnavailableError } from '../db/pool.ts';
import {
  hurry,
  lockSchedule,
  type ScheduleRow,
  setNextCompare,
  setNextLook,
  takeToCompare,
  takeToLookAt,
} from '../db/schedules.ts';
import { dueTicks, uncountedRuns } from '../db/ticks.ts';
import type { Bell } from '../jobs/bell.ts';
import type { Fire } from '../jobs/schedules/fire.ts';
import { countTicks, settleLedger } from '../jobs/schedules/ledger.ts';
import { endScheduledRun } from '../jobs/schedules/run-ended.ts';
import { SCHEDULES_BELL } from '../jobs/schedules/schedules.ts';
import type { TemporalSchedules } from '../jobs/schedules/temporal-schedule.ts';
import { calendarOf, intervalMsOf, jitterMsOf } from '../jobs/schedules/timing.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { eachOf, isTemporalUp } from './relay.ts';
import { repeat, type Repeated } from './repeat.ts';

const BATCH = 100;
const PARALLEL = 5;
const DUE_BATCH = 200;
/** So that a schedule of every second is not looked at all the time. */
const MIN_LOOK_MS = 2_000;
const MIN_COMPARE_MS = 30_000;
/** The end of a run brings the look for those that wait forward; this is for the case that nobody says so. */
const WAITING_LOOK_MS = 10_000;

export interface AuditorDeps {
  db: Database;
  client: Client;
  bell: Bell;
  fire: Fire;
  temporalSchedules: TemporalSchedules;
  metrics: Metrics;
  log: Logger;
  /** How long Temporal is given to fire before a tick is started from here. */
  graceMs: number;
  /** How often a schedule is compared with Temporal without a reason. */
  auditEveryMs: number;
}

export function createAuditor(deps: AuditorDeps): { stop(): Promise<void> } {
  const { db, client, bell, log } = deps;
  const look = createLook(deps);
  const compare = createCompareSchedule(deps);

  const lookAtLedgers = async (): Promise<boolean> => {
    const due = await takeToLookAt(db, BATCH);
    await eachOf(due, PARALLEL, look);
    return due.length === BATCH;
  };

  const compareAll = async (): Promise<boolean> => {
    if (!(await isTemporalUp(client))) return false;
    const due = await takeToCompare(db, BATCH);
    await eachOf(due, PARALLEL, compare);
    return due.length === BATCH;
  };

  const countEnded = async (): Promise<boolean> => {
    for (const { id, status } of await uncountedRuns(db, BATCH)) await endScheduledRun(deps, id, status);
    return false;
  };

  const onError = (name: string) => (error: unknown) => {
    const level = error instanceof StoreUnavailableError ? 'warn' : 'error';
    log[level]({ err: error }, `auditor: ${name}`);
  };
  const looking = repeat(1_000, lookAtLedgers, onError('ledgers'));
  const comparing = repeat(1_000, compareAll, onError('schedules in Temporal'));
  const loops: Repeated[] = [looking, comparing, repeat(15_000, countEnded, onError('counts'))];
  const silence = bell.on(SCHEDULES_BELL, () => {
    looking.nudge();
    comparing.nudge();
  });
  return {
    async stop() {
      silence();
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

/** Gives rows to the times that have passed, and starts what is due and was not fired. */
function createLook({ db, fire, metrics, log, graceMs }: AuditorDeps) {
  return async function look(schedule: ScheduleRow): Promise<void> {
    try {
      await lookAt(schedule);
    } catch (error) {
      log.error({ schedule: schedule.id, err: error }, 'auditor: look at a ledger put off');
      await setNextLook(db, schedule, new Date(currentMs() + 5_000));
    }
  };

  async function lookAt(schedule: ScheduleRow): Promise<void> {
    const firedBefore = new Date(currentMs() - graceMs - jitterMsOf(schedule.spec));
    const settled = await db.transaction(async (tx) => {
      const locked = await lockSchedule(tx, schedule);
      return locked && settleLedger(tx, locked, firedBefore.getTime());
    });
    if (settled) countTicks(metrics, settled);
    const due = await dueTicks(db, schedule, firedBefore, DUE_BATCH);
    let late = 0;
    let hadTurn = false;
    let waits = false;
    for (const { nominalTime, backfillOverlap, waitingSince } of due) {
      const fired = await fire(schedule, nominalTime.getTime(), 'auditor');
      waits ||= fired.kind === 'waits';
      if (fired.kind === 'waits' || !fired.fresh) continue;
      hadTurn ||= waitingSince !== null;
      if (fired.kind !== 'none' && !backfillOverlap && !waitingSince) late++;
    }
    if (late > 0) {
      metrics.auditorStarts.inc(late);
      log.warn({ schedule: schedule.id, ticks: late }, 'auditor: started what Temporal did not fire');
      await hurry(db, schedule, 'compare');
    }
    // After one that waited it is the turn of the next.
    const more = settled?.more || due.length === DUE_BATCH || hadTurn;
    const next = more ? currentTime() : nextLook(schedule, firedBefore.getTime(), graceMs);
    await setNextLook(db, schedule, waits ? earlier(next, currentMs() + WAITING_LOOK_MS) : next);
  }
}

function earlier(time: Date | null, otherMs: number): Date {
  return new Date(Math.min(time?.getTime() ?? Infinity, otherMs));
}

function nextLook({ spec }: ScheduleRow, firedBeforeMs: number, graceMs: number): Date | null {
  const next = nextAfter(calendarOf(spec), firedBeforeMs);
  if (next === null) return null;
  return new Date(Math.max(currentMs() + MIN_LOOK_MS, next + jitterMsOf(spec) + graceMs + 1));
}

function createCompareSchedule({ db, temporalSchedules, metrics, log, auditEveryMs }: AuditorDeps) {
  return async function compare(schedule: ScheduleRow): Promise<void> {
    try {
      if (schedule.deletedAt || schedule.generation !== schedule.appliedGeneration) {
        await temporalSchedules.apply(schedule);
      } else {
        await repairDrift(schedule);
      }
      await setNextCompare(db, schedule, nextCompare(schedule));
    } catch (error) {
      log.warn({ schedule: schedule.id, err: error }, 'auditor: comparison put off');
      await setNextCompare(db, schedule, new Date(currentMs() + 3_000));
    }
  };

  async function repairDrift(schedule: ScheduleRow): Promise<void> {
    const drift = await temporalSchedules.findDrift(schedule);
    if (drift === null) return;
    await temporalSchedules.repair(schedule, drift);
    metrics.scheduleRepairs.inc({ reason: drift.kind });
    log.warn({ schedule: schedule.id, drift: drift.kind }, 'auditor: repaired a schedule in Temporal');
  }

  function nextCompare({ spec }: ScheduleRow): Date {
    // A time that is not fired in time brings the next comparison forward; with a jitter that may take another interval.
    const intervalMs = jitterMsOf(spec) > 0 ? intervalMsOf(calendarOf(spec), currentMs()) : null;
    const everyMs = Math.min(auditEveryMs, Math.max(MIN_COMPARE_MS, intervalMs ?? Infinity));
    // Schedules that were made together need not be compared together.
    return new Date(currentMs() + everyMs * (0.8 + Math.random() / 5));
  }
}
