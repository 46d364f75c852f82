// What is removed because it is old, and who listens to what happens.
import { Counter, Gauge, type Registry } from 'prom-client';

import { startAtZero } from './zero.ts';

export const REMOVED_FROM = [
  ...['jobs', 'runs', 'batches', 'dead_letters', 'idempotency_keys', 'ticks', 'notifications', 'bulk_operations'],
  ...['events', 'audit_log'],
] as const;

export function createRetentionMetrics(registry: Registry) {
  const registers = [registry];
  const retentionRemoved = new Counter({
    name: 'perdure_retention_removed_total',
    help: 'Rows removed because their time was over.',
    labelNames: ['table'],
    registers,
  });
  startAtZero(retentionRemoved, { table: REMOVED_FROM });
  return {
    retentionRemoved,
    eventStreams: new Gauge({ name: 'perdure_event_streams', help: 'Streams of events that are open.', registers }),
  };
}
