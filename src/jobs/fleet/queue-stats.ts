// What waits in a queue and for how long.
import type { Client } from '@temporalio/client';

import type { Database } from '../../db/pool.ts';
import { readBacklog } from '../../db/queues.ts';

/** However many ask. */
const KEPT_FOR_MS = 1_500;
const TEMPORAL_PATIENCE_MS = 1_000;
/** As in Temporal's TaskQueueType. */
const TASK_TYPES = { workflow: 1, activity: 2 } as const;

export interface QueueStats {
  backlog: number;
  oldestAgeSeconds: number | null;
}

export type ReadQueueStats = (queue: string) => Promise<QueueStats>;

/**
 * Of the queue that this process fills our own rows say it exactly: every job, run and due tick has one. Those of
 * other queues are in other databases: there Temporal's count of waiting tasks is the best we know.
 */
export function createQueueStats(deps: { db: Database; client: Client; taskQueue: string }): ReadQueueStats {
  const { db, client, taskQueue } = deps;
  const kept = new Map<string, { until: number; stats: Promise<QueueStats> }>();
  return (queue) => {
    const known = kept.get(queue);
    if (known && performance.now() < known.until) return known.stats;
    const stats = queue === taskQueue ? db.asService(() => readBacklog(db)) : tasksWaiting(client, queue);
    kept.set(queue, { until: performance.now() + KEPT_FOR_MS, stats });
    stats.catch(() => kept.delete(queue));
    return stats;
  };
}

async function tasksWaiting(client: Client, queue: string): Promise<QueueStats> {
  const { namespace } = client.options;
  const ask = async (taskQueueType: number) => {
    const request = { namespace, taskQueue: { name: queue }, taskQueueType, reportStats: true };
    const { stats } = await client.workflowService.describeTaskQueue(request);
    const backlog = Number(stats?.approximateBacklogCount ?? 0);
    return { backlog, ageSeconds: backlog > 0 ? Number(stats?.approximateBacklogAge?.seconds ?? 0) : null };
  };
  const asked = client.withDeadline(Date.now() + TEMPORAL_PATIENCE_MS, () =>
    Promise.all([ask(TASK_TYPES.workflow), ask(TASK_TYPES.activity)]),
  );
  // Without Temporal the list is still worth having.
  const tasks = await asked.catch(() => []);
  const ages = tasks.flatMap(({ ageSeconds }) => ageSeconds ?? []);
  return {
    backlog: tasks.reduce((sum, { backlog }) => sum + backlog, 0),
    oldestAgeSeconds: ages.length > 0 ? Math.max(...ages) : null,
  };
}
