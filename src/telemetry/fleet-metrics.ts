// Gauges of workers and queues. Every process with an API shows the same, so read them with `max`, not `sum`.
import { Gauge, type Registry } from 'prom-client';

import { createStateCache } from './state-cache.ts';

export interface ShownFleet {
  workers: { state: string; count: number }[];
  queues: { name: string; paused: boolean; backlog: number; oldestAgeSeconds: number | null }[];
}

const STATES = ['available', 'busy', 'paused', 'draining', 'drained', 'gone'];

export function measureFleet({ registry }: { registry: Registry }, read: () => Promise<ShownFleet>): void {
  const current = createStateCache(read);
  const gauge = (
    name: string,
    help: string,
    label: string,
    values: (fleet: ShownFleet) => [label: string, value: number][],
  ) =>
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      async collect() {
        const fleet = await current();
        // What is not known is not shown: a zero would say that there are no workers.
        this.reset();
        for (const [value, count] of fleet ? values(fleet) : []) this.inc({ [label]: value }, count);
      },
    });

  gauge('perdure_workers', 'Workers by state; drained and gone only for an hour.', 'state', ({ workers }) => [
    ...STATES.map((state): [string, number] => [state, 0]),
    ...workers.map(({ state, count }): [string, number] => [state, count]),
  ]);
  gauge('perdure_queue_backlog', 'What could run now and does not.', 'queue', ({ queues }) =>
    queues.map(({ name, backlog }) => [name, backlog]),
  );
  gauge('perdure_queue_oldest_age_seconds', 'How long the first of it could have run.', 'queue', ({ queues }) =>
    queues.map(({ name, oldestAgeSeconds }) => [name, oldestAgeSeconds ?? 0]),
  );
  gauge('perdure_queue_paused', '1 while nothing new starts from the queue.', 'queue', ({ queues }) =>
    queues.map(({ name, paused }) => [name, paused ? 1 : 0]),
  );
}
