// What the end of a run means for others: waiters, senders and dependants are woken, calls under way are cut off.
import type { FinalRunStatus } from '../../contract/run.ts';
import { notifyEach } from '../../db/notify.ts';
import type { Database } from '../../db/pool.ts';
import type { RunSettled } from '../../db/run-finish.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Bell } from '../bell.ts';
import { CANCEL_CHANNEL } from '../cancel.ts';
import type { FollowUp } from '../follow-up.ts';
import { endScheduledRun } from '../schedules/run-ended.ts';

export type RunFinished = ReturnType<typeof createRunFinished>;

export function createRunFinished({
  db,
  bell,
  metrics,
  followUp,
  log,
}: {
  db: Database;
  bell: Bell;
  metrics: Metrics;
  followUp: Pick<FollowUp, 'released'>;
  log: Logger;
}) {
  /** Call after a run reached a final status. A crash in here is made good by the relay. */
  return async function runFinished(
    runId: string,
    status: FinalRunStatus,
    settled: RunSettled,
    reason: string | null,
  ): Promise<void> {
    const tenant = metrics.tenantLabel(settled.tenant);
    metrics.runsFinished.inc({ tenant, status });
    metrics.runSeconds.observe(Math.max(0, settled.ageMs / 1_000));
    if (reason !== null) metrics.deadLetters.inc({ tenant, reason: metrics.reasonLabel(reason) });
    for (const step of settled.steps) metrics.stepsFinished.inc({ status: step.status }, step.count);
    await notifyEach(db, CANCEL_CHANNEL, settled.cut);
    bell.ring(runId);
    if (settled.notified) bell.ring('notifications');
    if (settled.scheduleId !== null) {
      await endScheduledRun({ db, metrics }, runId, status).catch((error: unknown) => {
        log.warn({ runId, err: error }, 'a run of a schedule not counted; the auditor will');
      });
    }
    if (settled.hasDependents) await followUp.released(runId);
  };
}
