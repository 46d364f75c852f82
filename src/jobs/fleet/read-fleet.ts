// All workers and queues at a glance, for metrics.
import type { Database } from '../../db/pool.ts';
import { listQueues } from '../../db/queues.ts';
import { countWorkers } from '../../db/workers.ts';
import type { ShownFleet } from '../../telemetry/fleet-metrics.ts';
import type { ReadQueueStats } from './queue-stats.ts';

export async function readFleet(db: Database, statsOf: ReadQueueStats): Promise<ShownFleet> {
  const [workers, queues] = [await countWorkers(db), await listQueues(db)];
  return {
    workers,
    queues: await Promise.all(queues.map(async ({ name, paused }) => ({ name, paused, ...(await statsOf(name)) }))),
  };
}
