// What users do with schedules: put, delete, pause, resume, trigger, backfill. Temporal hears of it from the auditor.
import { uuidv7 } from 'uuidv7';

import { timesBetween } from '../../calendar/evaluator.ts';
import { currentMs, currentTime } from '../../clock.ts';
import type { FieldFault } from '../../contract/problem.ts';
import { type Overlap, type ScheduleName, type ScheduleSpec, temporalScheduleId } from '../../contract/schedule.ts';
import { insertKey } from '../../db/idempotency-keys.ts';
import type { NewJob } from '../../db/jobs.ts';
import type { Database, Queryable } from '../../db/pool.ts';
import { ticksRemovedUntil } from '../../db/retention.ts';
import type { NewRun } from '../../db/runs.ts';
import {
  type DesiredSchedule,
  insertSchedule,
  lockSchedule,
  markDeleted,
  type ScheduleRow,
} from '../../db/schedules.ts';
import { decideTick, findTick, insertBackfill } from '../../db/ticks.ts';
import { reach } from '../../failpoint.ts';
import type { WorkflowDefinition } from '../../language/definition.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { IdempotencyKey } from '../accept.ts';
import type { Bell } from '../bell.ts';
import { canonicalJson } from '../canonical-json.ts';
import { type Replay, replayOf } from '../once.ts';
import type { RunStarter } from '../runs/start.ts';
import type { Sealer } from '../secrets/sealer.ts';
import type { Starter } from '../start.ts';
import { runOf } from './fire.ts';
import { changeSchedule } from './ledger.ts';
import { type Made, makeRun } from './run.ts';
import { calendarOf, tickId } from './timing.ts';
import { findAction } from './workflow-action.ts';

/** The auditor of this process listens: there is something to look at before its next round. */
export const SCHEDULES_BELL = 'schedules';

export const MAX_BACKFILL = 1_000;

export interface SchedulesDeps {
  db: Database;
  starter: Starter;
  runStarter: RunStarter;
  metrics: Metrics;
  bell: Bell;
  sealer: Sealer;
  renderJob: (job: NewJob) => string;
  renderRun: (run: NewRun, definition: WorkflowDefinition) => string;
}

type Render = Pick<SchedulesDeps, 'renderJob' | 'renderRun'>;

export interface BackfillRequest {
  fromMs: number;
  toMs: number;
  overlap: Overlap | null;
}

export type Triggered =
  | { kind: 'created'; made: MadeRun; answer: string }
  | { kind: 'replayed'; id: string; isRun: boolean; answer: string }
  | { kind: 'refused'; fault: FieldFault }
  | { kind: 'keyReused' }
  | { kind: 'notFound' };
type MadeRun = Extract<Made, { kind: 'job' | 'run' }>;
export type Backfilled =
  | { kind: 'accepted'; answer: string }
  | { kind: 'tooMany' }
  | { kind: 'forgotten'; until: Date }
  | { kind: 'notFound' }
  | Replay;

export type Schedules = ReturnType<typeof createSchedules>;

export function createSchedules({ db, starter, runStarter, metrics, bell, sealer, ...render }: SchedulesDeps) {
  /** Temporal hears of it from the auditor: at once where it runs in this process, else within a second. */
  const changed = (row: ScheduleRow): ScheduleRow => {
    bell.ring(SCHEDULES_BELL);
    return row;
  };

  const change = async (
    name: ScheduleName,
    desired: (row: ScheduleRow) => DesiredSchedule,
  ): Promise<ScheduleRow | null> => {
    const row = await changeSchedule({ db, metrics }, name, (old) => {
      const wanted = desired(old);
      return isSame(old, wanted) ? null : wanted;
    });
    return row && changed(row);
  };

  const sealed = (tenant: string, { spec, ...rest }: DesiredSchedule): DesiredSchedule => ({
    ...rest,
    spec: { ...spec, job: spec.job && sealer.job(tenant, spec.job) },
  });

  return {
    async actionFault(tenant: string, { workflow }: ScheduleSpec): Promise<FieldFault | null> {
      if (!workflow) return null;
      const found = await findAction(db, tenant, workflow);
      return found.ok ? null : found.fault;
    },

    /** Whether this row is what is asked for; what was sealed looks different each time. */
    isAsked: (row: ScheduleRow, given: DesiredSchedule): boolean => isSame(row, sealed(row.tenant, given)),

    async put(name: ScheduleName, given: DesiredSchedule): Promise<{ row: ScheduleRow; created: boolean }> {
      const desired = sealed(name.tenant, given);
      for (;;) {
        const inserted = await insertSchedule(db, name, desired, currentTime());
        if (inserted) {
          reach('schedule.put');
          return { row: changed(inserted), created: true };
        }
        const row = await change(name, () => desired);
        // Null: deleted in between.
        if (row) return { row, created: false };
      }
    },

    async remove(name: ScheduleName): Promise<boolean> {
      const deleted = await markDeleted(db, name);
      if (deleted) changed(deleted);
      return deleted !== null;
    },

    pause: (name: ScheduleName, note: string | null) =>
      change(name, (old) => ({ spec: old.spec, paused: true, note: note ?? old.note })),

    resume: (name: ScheduleName) => change(name, (old) => ({ spec: old.spec, paused: false, note: '' })),

    /** A run of its own, whatever else runs, also while paused. */
    async trigger(name: ScheduleName, key: IdempotencyKey | null): Promise<Triggered> {
      const triggered = await db.transaction((tx) => triggerOnce(tx, name, key, render));
      if (triggered.kind !== 'created') return triggered;
      reach('schedule.triggered');
      metrics.ticks.inc({ outcome: 'triggered' });
      const { made } = triggered;
      if (made.kind === 'run') {
        metrics.runsAccepted.inc({ tenant: metrics.tenantLabel(name.tenant) });
        runStarter.startSoon(made.run);
      } else {
        metrics.accepted.inc({ tenant: metrics.tenantLabel(name.tenant), source: 'schedule' });
        if (made.job.status === 'queued') starter.startSoon(made.job);
      }
      return triggered;
    },

    async backfill(name: ScheduleName, request: BackfillRequest, key: IdempotencyKey | null): Promise<Backfilled> {
      const backfilled = await db.transaction((tx) => backfillOnce(tx, name, request, key));
      if (backfilled.kind === 'accepted') bell.ring(SCHEDULES_BELL);
      return backfilled;
    },
  };
}

async function triggerOnce(
  tx: Queryable,
  name: ScheduleName,
  key: IdempotencyKey | null,
  { renderJob, renderRun }: Render,
): Promise<Triggered> {
  const schedule = await lockSchedule(tx, name);
  // Under the lock a concurrent request with the same key has written its answer by now.
  const known = await replayOf(tx, name.tenant, key);
  if (known?.kind === 'replayed') {
    const tick = await findTick(tx, known.id);
    return { ...known, isRun: tick !== null && tick.runId !== null };
  }
  if (known) return known;
  if (!schedule) return { kind: 'notFound' };
  const now = currentTime();
  const nominalMs = Math.floor(now.getTime() / 1_000) * 1_000;
  const id = `${temporalScheduleId(name)}-t-${uuidv7().replaceAll('-', '')}`;
  const made = await makeRun(tx, schedule, { id, now, after: null });
  if (made.kind === 'refused') return made;
  if (made.kind === 'taken') throw new Error(`${id} was there before it was triggered`);
  const run = { ...runOf({ id, kind: made.kind, nominalMs, outcome: 'triggered', now }), latenessMs: 0 };
  await decideTick(tx, name, { id, nominalTime: new Date(nominalMs), outcome: 'triggered', reason: null, run });
  const answer = made.kind === 'job' ? renderJob(made.job) : renderRun(made.run, made.definition);
  if (key) await insertKey(tx, name.tenant, id, { ...key, answer });
  return { kind: 'created', made, answer };
}

async function backfillOnce(
  tx: Queryable,
  name: ScheduleName,
  { fromMs, toMs, overlap }: BackfillRequest,
  key: IdempotencyKey | null,
): Promise<Backfilled> {
  const schedule = await lockSchedule(tx, name);
  // Under the lock a concurrent request with the same key has written its answer by now.
  const known = await replayOf(tx, name.tenant, key);
  if (known) return known;
  if (!schedule) return { kind: 'notFound' };
  const until = await ticksRemovedUntil(tx, name);
  if (until && fromMs <= until.getTime()) return { kind: 'forgotten', until };
  // What lies ahead has its own time.
  const times = timesBetween(calendarOf(schedule.spec), fromMs, Math.min(toMs, currentMs()), MAX_BACKFILL + 1);
  if (times.length > MAX_BACKFILL) return { kind: 'tooMany' };
  // Asked for, they shall all run: with a policy that allows no overlap, one after the other.
  const policy = overlap ?? (schedule.spec.overlap === 'allowAll' ? 'allowAll' : 'bufferAll');
  const ticks = times.map((nominalMs) => ({ id: tickId(name, nominalMs), nominalMs }));
  const answer = JSON.stringify({ accepted: await insertBackfill(tx, name, ticks, policy) });
  if (key) await insertKey(tx, name.tenant, temporalScheduleId(name), { ...key, answer });
  return { kind: 'accepted', answer };
}

function isSame(old: DesiredSchedule, wanted: DesiredSchedule): boolean {
  const parts = ({ spec, paused, note }: DesiredSchedule) => canonicalJson([spec, paused, note]);
  return parts(old) === parts(wanted);
}
