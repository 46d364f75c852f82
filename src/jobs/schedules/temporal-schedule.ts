// Temporal's schedule is the alarm clock: made from what PostgreSQL holds, and compared with it ever after.
import { createHash } from 'node:crypto';

import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { ValueError } from '@temporalio/common';

import { nextAfter } from '../../calendar/evaluator.ts';
import { compileTemporalSpec } from '../../calendar/temporal-spec.ts';
import { currentMs } from '../../clock.ts';
import { parseDurationMs } from '../../contract/duration.ts';
import { type ScheduleName, temporalScheduleId, TICK_PREFIX } from '../../contract/schedule.ts';
import { HTTP_JOB, type JobInput } from '../../contract/temporal.ts';
import type { Database } from '../../db/pool.ts';
import { findScheduleOrTombstone, markApplied, removeDeleted, type ScheduleRow } from '../../db/schedules.ts';
import { reach } from '../../failpoint.ts';
import { canonicalJson } from '../canonical-json.ts';
import { ofTenant } from '../of-tenant.ts';
import { UndecipherableError } from '../secrets/keyring.ts';
import { isEncrypted as isEncryptedPayload } from '../secrets/payload-codec.ts';
import { summaryOf } from '../start.ts';
import { calendarOf, jitterMsOf } from './timing.ts';

const TIMEOUT_MS = 5_000;
/** A time that lies this far back and is still announced as the next one will not come any more. */
const STUCK_AFTER_MS = 60_000;

export type Drift = { kind: 'missing' | 'stopped' | 'unreadable' } | { kind: 'changed'; fingerprint: string };

export type TemporalSchedules = ReturnType<typeof createTemporalSchedules>;

export function createTemporalSchedules({
  db,
  client,
  taskQueue,
  isEncrypted,
}: {
  db: Database;
  client: Client;
  taskQueue: string;
  isEncrypted: boolean;
}) {
  const within = <T>(work: () => Promise<T>): Promise<T> => client.withDeadline(Date.now() + TIMEOUT_MS, work);
  const handleOf = (name: ScheduleName) => client.schedule.getHandle(temporalScheduleId(name));

  /** Makes Temporal agree with the row, and with whatever the row becomes meanwhile. */
  const apply = async (row: ScheduleRow): Promise<void> => {
    for (let latest: ScheduleRow | null = row; ; latest = await findScheduleOrTombstone(db, row)) {
      if (!latest) return remove(row);
      if (latest.deletedAt) {
        await remove(latest);
        await removeDeleted(db, latest);
        return;
      }
      await put(latest);
      reach('schedule.applied');
      const fingerprint = fingerprintOf(await describe(latest));
      if (await markApplied(db, latest, fingerprint)) return;
    }
  };

  const put = async (row: ScheduleRow): Promise<void> => {
    const options = optionsOf(row, taskQueue, isEncrypted);
    const update = () => within(() => handleOf(row).update(() => ({ ...options, state: options.state ?? {} })));
    const create = () => within(() => client.schedule.create(options));
    // An update reads first what is there.
    const replace = async () => {
      await remove(row);
      await create();
    };
    // Whichever is more likely first; what another process did meanwhile decides.
    if (row.appliedGeneration === 0) {
      await create().catch(orElse(isThere, update)).catch(orElse(isUnreadable, replace));
    } else {
      await update().catch(orElse(isMissing, create)).catch(orElse(isUnreadable, replace));
    }
  };

  const remove = async (name: ScheduleName): Promise<void> => {
    await within(() => handleOf(name).delete()).catch(orElse(isMissing, async () => {}));
  };

  const describe = (name: ScheduleName) => within(() => handleOf(name).describe());

  /** What is wrong in Temporal, or null. A schedule whose times are over needs nothing there. */
  const findDrift = async (row: ScheduleRow): Promise<Drift | null> => {
    if (nextAfter(calendarOf(row.spec), currentMs()) === null) return null;
    try {
      const description = await describe(row);
      const fingerprint = fingerprintOf(description);
      const isOther =
        fingerprint !== row.appliedFingerprint ||
        description.state.paused !== row.paused ||
        hasEncryptedInput(description) !== isEncrypted;
      if (isOther) return { kind: 'changed', fingerprint };
      return !row.paused && isStuck(description) ? { kind: 'stopped' } : null;
    } catch (error) {
      if (isMissing(error)) return { kind: 'missing' };
      if (isUnreadable(error)) return { kind: 'unreadable' };
      throw error;
    }
  };

  const repair = async (row: ScheduleRow, drift: Drift): Promise<void> => {
    // A schedule that has stopped does not wake up by an update.
    if (drift.kind === 'stopped') await remove(row);
    await put(row);
    // The fingerprint stays what it was, so that a change made by others just now is found the next time. But where
    // our update changes nothing, nobody has changed anything: it is the server that tells it in other words.
    if (drift.kind !== 'changed') return;
    const fingerprint = fingerprintOf(await describe(row));
    if (fingerprint === drift.fingerprint) await markApplied(db, row, fingerprint);
  };

  return { apply, findDrift, repair };
}

function orElse(
  isExpected: (error: unknown) => boolean,
  instead: () => Promise<unknown>,
): (error: unknown) => Promise<unknown> {
  return async (error) => {
    if (isExpected(error)) return instead();
    throw error;
  };
}

const isMissing = (error: unknown) => error instanceof ScheduleNotFoundError;
const isThere = (error: unknown) => error instanceof ScheduleAlreadyRunning;

/** Put by a process that encrypted otherwise: under a key that is not here, not at all, or though nobody does here. */
function isUnreadable(error: unknown): boolean {
  return error instanceof UndecipherableError || (error instanceof ValueError && /encoding/i.test(error.message));
}

function optionsOf(row: ScheduleRow, taskQueue: string, isEncrypted: boolean): ScheduleOptions {
  const { tenant, id, spec, paused, note } = row;
  const input: JobInput = { schedule: { tenant, id } };
  return {
    scheduleId: temporalScheduleId(row),
    spec: compileTemporalSpec(calendarOf(spec), { jitterMs: jitterMsOf(spec) }),
    action: {
      type: 'startWorkflow',
      workflowType: HTTP_JOB,
      // Temporal appends the nominal time. What it starts is the job's own workflow, but never that of a run.
      workflowId: `${spec.workflow ? TICK_PREFIX : ''}${temporalScheduleId(row)}`,
      taskQueue,
      args: [input],
      // Its type leaves the priority out; the SDK sends it.
      ...ofTenant(tenant, spec.job ? { priorityKey: spec.job.priority } : {}),
      staticSummary: spec.job ? summaryOf(spec.job) : `tick for ${spec.workflow?.name ?? 'nothing'}`,
    },
    policies: {
      // Overlaps are decided where the states of the runs are: in PostgreSQL, with a row for each that is skipped.
      overlap: ScheduleOverlapPolicy.ALLOW_ALL,
      catchupWindow: parseDurationMs(spec.catchupWindow) ?? 0,
    },
    // Temporal keeps a note as it is.
    state: { paused, ...(isEncrypted ? {} : { note }) },
  };
}

/** Not so: it was put while encryption was otherwise than now. */
function hasEncryptedInput({ raw }: ScheduleDescription): boolean {
  const payloads = raw.schedule?.action?.startWorkflow?.input?.payloads ?? [];
  return payloads.some((payload) => isEncryptedPayload(payload));
}

/** All that Temporal keeps of our wishes, in its own words; what it counts and remembers is left out. */
function fingerprintOf({ raw }: ScheduleDescription): string {
  const plain: unknown = JSON.parse(JSON.stringify(raw.schedule));
  return createHash('sha256').update(canonicalJson(plain)).digest('hex');
}

function isStuck({ info: { nextActionTimes } }: ScheduleDescription): boolean {
  const next = nextActionTimes[0];
  return next === undefined || next.getTime() < currentMs() - STUCK_AFTER_MS;
}
