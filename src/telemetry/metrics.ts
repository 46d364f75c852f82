// What Prometheus reads: one registry per process, every metric in the file of its topic, with closed sets of labels.
import { collectDefaultMetrics, Registry } from 'prom-client';

import { createAttemptMetrics } from './attempt-metrics.ts';
import { createBoundedLabel } from './bounded-label.ts';
import { createJobMetrics } from './job-metrics.ts';
import { createProcessMetrics } from './process-metrics.ts';
import { createRetentionMetrics } from './retention-metrics.ts';
import { createRunMetrics } from './run-metrics.ts';
import { createScheduleMetrics } from './schedule-metrics.ts';

export type Metrics = ReturnType<typeof createMetrics>;

const MAX_VALUES = 100;

export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    /** The values of the labels that users can make up. */
    tenantLabel: createBoundedLabel(MAX_VALUES),
    hostLabel: createBoundedLabel(MAX_VALUES),
    reasonLabel: createBoundedLabel(MAX_VALUES),
    ...createJobMetrics(registry),
    ...createAttemptMetrics(registry),
    ...createScheduleMetrics(registry),
    ...createRunMetrics(registry),
    ...createProcessMetrics(registry),
    ...createRetentionMetrics(registry),
  };
}
