// The ledger: each nominal time gets its row. Until a row is decided it is due, and whoever is first may fire it.
//
// A tick begins without a row. It becomes due (a row without an outcome) when the ledger passes its time, or is
// decided at once: fired by Temporal, paused, or missed because the catch-up window is over. A due tick is fired by
// Temporal, or after the grace by the auditor. A decided one changes only if a backfill asks for what never ran.
import { timesBetween } from '../../calendar/evaluator.ts';
import { currentMs } from '../../clock.ts';
import type { ScheduleName } from '../../contract/schedule.ts';
import type { Database, Queryable } from '../../db/pool.ts';
import { type DesiredSchedule, lockSchedule, type ScheduleRow, updateSchedule } from '../../db/schedules.ts';
import { advanceLedger, insertTicks } from '../../db/ticks.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { calendarOf, tickId, windowStartMs } from './timing.ts';

const CHUNK = 2_000;

export interface SettledTicks {
  /** There are more than fit in one go. */
  more: boolean;
  /** Decided without a run. */
  missed: number;
  paused: number;
}

const NOTHING: SettledTicks = { more: false, missed: 0, paused: 0 };

/** Writes the rows of all times before `untilMs` that have none; when that is committed, `countTicks`. */
export async function settleLedger(tx: Queryable, schedule: ScheduleRow, untilMs: number): Promise<SettledTicks> {
  const fromMs = schedule.ledgerUntil.getTime();
  if (untilMs <= fromMs) return NOTHING;
  const times = timesBetween(calendarOf(schedule.spec), fromMs, untilMs, CHUNK);
  const ticks = times.map((nominalMs) => ({ id: tickId(schedule, nominalMs), nominalMs }));
  const settled = { ...NOTHING };
  if (schedule.paused) {
    settled.paused = await insertTicks(tx, schedule, ticks, { outcome: 'paused', reason: pausedReason(schedule) });
  } else {
    const startMs = windowStartMs(schedule.spec, currentMs());
    const missed = ticks.filter(({ nominalMs }) => nominalMs < startMs);
    const due = ticks.filter(({ nominalMs }) => nominalMs >= startMs);
    settled.missed = await insertTicks(tx, schedule, missed, { outcome: 'missed', reason: missedReason(schedule) });
    await insertTicks(tx, schedule, due, { outcome: null, reason: null });
  }
  const last = times.length === CHUNK ? times.at(-1) : undefined;
  await advanceLedger(tx, schedule, new Date(last === undefined ? untilMs : last + 1));
  return { ...settled, more: last !== undefined };
}

export function countTicks({ ticks }: Metrics, { missed, paused }: SettledTicks): void {
  if (missed > 0) ticks.inc({ outcome: 'missed' }, missed);
  if (paused > 0) ticks.inc({ outcome: 'paused' }, paused);
}

/** Changes a schedule without losing what was due until now; `change` answers null to leave it as it is. */
export async function changeSchedule(
  { db, metrics }: { db: Database; metrics: Metrics },
  name: ScheduleName,
  change: (schedule: ScheduleRow) => DesiredSchedule | null,
): Promise<ScheduleRow | null> {
  for (;;) {
    const { settled, changed } = await db.transaction(async (tx) => {
      const schedule = await lockSchedule(tx, name);
      if (!schedule) return { settled: NOTHING, changed: null };
      const settled = await settleLedger(tx, schedule, currentMs());
      if (settled.more) return { settled, changed: null };
      const desired = change(schedule);
      return { settled, changed: desired ? await updateSchedule(tx, name, desired) : schedule };
    });
    countTicks(metrics, settled);
    if (!settled.more) return changed;
  }
}

export function missedReason({ spec: { catchupWindow } }: ScheduleRow): string {
  return `Nothing could start it within the catch-up window of ${catchupWindow}.`;
}

export function pausedReason({ note }: ScheduleRow): string | null {
  return note === '' ? null : note;
}
