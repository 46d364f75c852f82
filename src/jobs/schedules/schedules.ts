// What users do with schedules: put, delete, pause, resume, trigger, backfill. Temporal hears of it from the auditor.
import { uuidv7 } from 'uuidv7';

import { timesBetween } from '../../calendar/evaluator.ts';
import type { FieldFault } from '../../contract/problem.ts';
import {
  type Overlap,
  type ScheduleName,
  type ScheduleSpec,
  temporalScheduleId,
  type WorkflowAction,
} from '../../contract/schedule.ts';
import { findKey, insertKey } from '../../db/idempotency-keys.ts';
import type { NewJob } from '../../db/jobs.ts';
import type { Database, Queryable } from '../../db/pool.ts';
import {
  type DesiredSchedule,
  insertSchedule,
  lockSchedule,
  markDeleted,
  type ScheduleRow,
} from '../../db/schedules.ts';
import { decideTick, insertBackfill } from '../../db/ticks.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { IdempotencyKey } from '../accept.ts';
import type { Bell } from '../bell.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { Starter } from '../start.ts';
import { runOf } from './fire.ts';
import { changeSchedule } from './ledger.ts';
import { insertRun } from './run.ts';
import { calendarOf, tickId } from './timing.ts';

/** The auditor of this process listens: there is something to look at before its next round. */
export const SCHEDULES_BELL = 'schedules';

export const MAX_BACKFILL = 1_000;

export interface SchedulesDeps {
  db: Database;
  starter: Starter;
  metrics: Metrics;
  bell: Bell;
  renderAnswer: (job: NewJob) => string;
  /** What is wrong with a workflow as an action; null while this service has no runs of workflows. */
  findWorkflowFault: FindWorkflowFault | null;
}

export type FindWorkflowFault = (tenant: string, action: WorkflowAction) => Promise<FieldFault | null>;

export interface BackfillRequest {
  fromMs: number;
  toMs: number;
  overlap: Overlap | null;
}

export type Replayable<T> =
  T | { kind: 'replayed'; id: string; answer: string } | { kind: 'keyReused' } | { kind: 'notFound' };
export type Triggered = Replayable<{ kind: 'created'; job: NewJob; answer: string }>;
export type Backfilled = Replayable<{ kind: 'accepted'; answer: string } | { kind: 'tooMany' }>;

export type Schedules = ReturnType<typeof createSchedules>;

export function createSchedules({ db, starter, metrics, bell, renderAnswer, findWorkflowFault }: SchedulesDeps) {
  /** Temporal hears of it from the auditor: at once where it runs in this process, else within a second. */
  const changed = (row: ScheduleRow): ScheduleRow => {
    bell.ring(SCHEDULES_BELL);
    return row;
  };

  const change = async (
    name: ScheduleName,
    desired: (row: ScheduleRow) => DesiredSchedule,
  ): Promise<ScheduleRow | null> => {
    const row = await changeSchedule(db, name, (old) => {
      const wanted = desired(old);
      return isSame(old, wanted) ? null : wanted;
    });
    return row && changed(row);
  };

  return {
    async actionFault(tenant: string, { workflow }: ScheduleSpec): Promise<FieldFault | null> {
      if (!workflow) return null;
      if (findWorkflowFault) return findWorkflowFault(tenant, workflow);
      return { pointer: '/workflow/name', detail: `There is no workflow ${workflow.name}.` };
    },

    async put(name: ScheduleName, desired: DesiredSchedule): Promise<{ row: ScheduleRow; created: boolean }> {
      for (;;) {
        const inserted = await insertSchedule(db, name, desired, new Date());
        if (inserted) return { row: changed(inserted), created: true };
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
      const triggered = await db.transaction((tx) => triggerOnce(tx, name, key, renderAnswer));
      if (triggered.kind === 'created') {
        metrics.accepted.inc({ source: 'schedule' });
        metrics.ticks.inc({ outcome: 'triggered' });
        if (triggered.job.status === 'queued') starter.startSoon(triggered.job);
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
  renderAnswer: (job: NewJob) => string,
): Promise<Triggered> {
  const schedule = await lockSchedule(tx, name);
  const known = await replayOf(tx, name, key);
  if (known) return known;
  if (!schedule) return { kind: 'notFound' };
  const now = new Date();
  const nominalMs = Math.floor(now.getTime() / 1_000) * 1_000;
  const id = `${temporalScheduleId(name)}-t-${uuidv7().replaceAll('-', '')}`;
  const job = await insertRun(tx, schedule, { id, now, after: null });
  if (!job) throw new Error(`job ${id} was there before it was triggered`);
  const run = { ...runOf({ id, nominalMs, outcome: 'triggered', now }), latenessMs: 0 };
  await decideTick(tx, name, { id, nominalTime: new Date(nominalMs), outcome: 'triggered', reason: null, run });
  const answer = renderAnswer(job);
  if (key) await insertKey(tx, name.tenant, id, { ...key, answer });
  return { kind: 'created', job, answer };
}

async function backfillOnce(
  tx: Queryable,
  name: ScheduleName,
  { fromMs, toMs, overlap }: BackfillRequest,
  key: IdempotencyKey | null,
): Promise<Backfilled> {
  const schedule = await lockSchedule(tx, name);
  const known = await replayOf(tx, name, key);
  if (known) return known;
  if (!schedule) return { kind: 'notFound' };
  // What lies ahead has its own time.
  const times = timesBetween(calendarOf(schedule.spec), fromMs, Math.min(toMs, Date.now()), MAX_BACKFILL + 1);
  if (times.length > MAX_BACKFILL) return { kind: 'tooMany' };
  // Asked for, they shall all run: with a policy that allows no overlap, one after the other.
  const policy = overlap ?? (schedule.spec.overlap === 'allowAll' ? 'allowAll' : 'bufferAll');
  const ticks = times.map((nominalMs) => ({ id: tickId(name, nominalMs), nominalMs }));
  const answer = JSON.stringify({ accepted: await insertBackfill(tx, name, ticks, policy) });
  if (key) await insertKey(tx, name.tenant, temporalScheduleId(name), { ...key, answer });
  return { kind: 'accepted', answer };
}

/** Under the lock on the schedule: a concurrent request with the same key has written its answer by now. */
async function replayOf(
  tx: Queryable,
  { tenant }: ScheduleName,
  key: IdempotencyKey | null,
): Promise<Replayable<never> | null> {
  const known = key && (await findKey(tx, tenant, key));
  if (!key || !known) return null;
  if (known.fingerprint !== key.fingerprint) return { kind: 'keyReused' };
  return { kind: 'replayed', id: known.resourceId, answer: known.answer };
}

function isSame(old: DesiredSchedule, wanted: DesiredSchedule): boolean {
  const parts = ({ spec, paused, note }: DesiredSchedule) => canonicalJson([spec, paused, note]);
  return parts(old) === parts(wanted);
}
