// What the end of one job means for others: dependants are released or canceled, waiters and senders are woken.
import type { FinalJobStatus } from '../contract/job.ts';
import type { StoredError } from '../contract/problem.ts';
import { closeBatch } from '../db/batches.ts';
import { type Dependant, dependantsOf, releaseDependant } from '../db/dependencies.ts';
import { findJobOfAnyTenant } from '../db/jobs.ts';
import type { Database } from '../db/pool.ts';
import { finishJob, type Settled } from '../db/settle.ts';
import { reach } from '../failpoint.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Bell } from './bell.ts';
import { endScheduledRun } from './schedules/run-ended.ts';
import type { Starter } from './start.ts';

export type FollowUp = ReturnType<typeof createFollowUp>;

interface FollowUpDeps {
  db: Database;
  starter: Starter;
  metrics: Metrics;
  bell: Bell;
  log: Logger;
}

export function createFollowUp({ db, starter, metrics, bell, log }: FollowUpDeps) {
  /** Call after a job reached a final status. A crash in here is made good by the relay. */
  const finished = async (
    jobId: string,
    status: FinalJobStatus,
    settled: Settled,
    reason: string | null,
  ): Promise<void> => {
    const tenant = metrics.tenantLabel(settled.tenant);
    metrics.finished.inc({ tenant, status });
    metrics.finalSeconds.observe({ tenant }, Math.max(0, settled.ageMs / 1_000));
    if (reason !== null) metrics.deadLetters.inc({ tenant, reason: metrics.reasonLabel(reason) });
    bell.ring(jobId);
    if (settled.notified) bell.ring('notifications');
    if (settled.batchId !== null) await batchMayBeDone(settled.batchId);
    if (settled.scheduleId !== null) await scheduledRunEnded(jobId, status);
    if (settled.hasDependents) await released(jobId);
  };

  /** The job or run that others wait for has ended. */
  const released = async (parentId: string): Promise<void> => {
    try {
      await decideAll(await dependantsOf(db, parentId));
    } catch (error) {
      log.warn({ jobId: parentId, err: error }, 'dependants not released; the relay will');
    }
  };

  const batchMayBeDone = async (batchId: string): Promise<void> => {
    try {
      const closed = await closeBatch(db, batchId);
      if (closed) bell.ring(batchId);
      if (closed?.notified) bell.ring('notifications');
    } catch (error) {
      log.warn({ batchId, err: error }, 'the end of a batch not noted; the relay will');
    }
  };

  const scheduledRunEnded = async (jobId: string, status: FinalJobStatus): Promise<void> => {
    try {
      await endScheduledRun({ db, metrics }, jobId, status);
    } catch (error) {
      log.warn({ jobId, err: error }, 'a run of a schedule not counted; the auditor will');
    }
  };

  const decideAll = async (dependants: Dependant[]): Promise<number> => {
    const decided = await Promise.all(dependants.map(decide));
    return decided.filter(Boolean).length;
  };

  const decide = async (dependant: Dependant): Promise<boolean> => {
    const { id, onDependencyFailure, pending, failed } = dependant;
    if (failed.length > 0 && onDependencyFailure === 'cancel') return cancelFor(id, failed);
    if (pending > 0) return false;
    if (!(await releaseDependant(db, id))) return false;
    reach('dependant.released');
    const job = await findJobOfAnyTenant(db, id);
    if (job) starter.startSoon(job);
    return true;
  };

  const cancelFor = async (id: string, failed: string[]): Promise<boolean> => {
    const error: StoredError = {
      code: 'dependencyFailed',
      title: 'A job it depends on did not succeed',
      status: null,
      detail: failed.slice(0, 10).join(', '),
    };
    const job = { id, tenant: null, from: ['blocked'] };
    const settled = await finishJob(db, job, { status: 'canceled', error, deadLetter: null, checkAt: null });
    if (settled) await finished(id, 'canceled', settled, null);
    return settled !== null;
  };

  return { finished, released, batchMayBeDone, decideAll };
}
