// How workers and queues look in answers.
import type { QueueRow } from '../../db/queues.ts';
import type { WorkerRow } from '../../db/workers.ts';
import type { QueueStats } from './queue-stats.ts';

export function workerView(worker: WorkerRow) {
  const { id, identity, host, pid, version, roles, state, queues, done, failed } = worker;
  return {
    id,
    identity,
    host,
    pid,
    version,
    roles,
    state,
    queues,
    slots: {
      activities: { used: worker.activitiesUsed, max: worker.activitiesMax },
      workflows: { used: worker.workflowsUsed, max: worker.workflowsMax },
    },
    counts: { done, failed },
    startedAt: worker.startedAt.toISOString(),
    lastHeartbeat: worker.lastHeartbeat.toISOString(),
  };
}

export function queueView({ name, paused, workers }: QueueRow, { backlog, oldestAgeSeconds }: QueueStats) {
  return { name, paused, backlog, oldestAgeSeconds, workers };
}
