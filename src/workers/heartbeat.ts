// Tells PostgreSQL every two seconds that this worker is there and how it is, and brings back what it is to do.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

import type { Config } from '../config.ts';
import type { Database } from '../db/pool.ts';
import { registerQueue } from '../db/queues.ts';
import {
  beat,
  forgetWorkers,
  type Orders,
  ORDERS_CHANNEL,
  ordersOf,
  type WorkerIdentity,
  type WorkerReport,
} from '../db/workers.ts';
import type { Logger } from '../telemetry/log.ts';
import { version } from '../version.ts';
import { repeat } from './repeat.ts';

const BEAT_EVERY_MS = 2_000;

export interface HeartbeatDeps {
  db: Database;
  log: Logger;
  worker: WorkerIdentity;
  report: () => WorkerReport;
  /** True when there is something new to report. */
  onOrders: (orders: Orders) => Promise<boolean>;
}

export interface Heartbeat {
  /** Reports at once. */
  nudge(): void;
  /** After a last report. */
  stop(): Promise<void>;
}

/** Resolves when the first orders are followed; a pause may be among them from the process before. */
export async function startHeartbeat({ db, log, worker, report, onOrders }: HeartbeatDeps): Promise<Heartbeat> {
  await registerQueue(db, worker.queue);
  await forgetWorkers(db);
  const first = await beat(db, worker, report(), { starting: true });
  if (first) await onOrders(first);
  let isReplaced = false;

  const work = async (): Promise<boolean> => {
    const orders = await beat(db, worker, report());
    if (!orders && !isReplaced) {
      log.warn({ workerId: worker.id }, 'another process reports under the id of this worker');
    }
    isReplaced = orders === null;
    return onOrders(orders ?? (await ordersOf(db, worker)));
  };
  const loop = repeat(BEAT_EVERY_MS, work, (error) => log.warn({ err: error }, 'heartbeat'));
  const stopListening = db.listen(ORDERS_CHANNEL, loop.nudge);
  return {
    nudge: loop.nudge,
    async stop() {
      await stopListening();
      await loop.stop();
      // Without a store it shows as gone, a little later.
      await beat(db, worker, report()).catch((error: unknown) => log.warn({ err: error }, 'last heartbeat'));
    },
  };
}

export function identify({ workerId, taskQueue }: Config, roles: string[]): WorkerIdentity {
  return {
    id: workerId,
    process: randomUUID(),
    // As Temporal shows it.
    identity: workerId,
    host: hostname(),
    pid: process.pid,
    version,
    roles,
    queue: taskQueue,
  };
}
