// Calls to targets: once by tenant and once by host, because both at once would be too many series.
import { Counter, Histogram, type Registry } from 'prom-client';

import { startAtZero } from './zero.ts';

export function createAttemptMetrics(registry: Registry) {
  const registers = [registry];
  const outcome = ['outcome', 'status_class', 'reason'] as const;
  const attempts = new Counter({
    name: 'perdure_attempts_total',
    help: 'Calls made, by tenant, proof of what happened, class of the status code, and reason where there was no answer.',
    labelNames: ['tenant', ...outcome],
    registers,
  });
  startAtZero(attempts, { tenant: ['default'], outcome: ['answered'], status_class: ['2xx', '5xx'], reason: ['none'] });
  startAtZero(attempts, {
    tenant: ['default'],
    outcome: ['notSent', 'unknown'],
    status_class: ['none'],
    reason: ['network', 'timeout'],
  });
  return {
    attempts,
    hostAttempts: new Counter({
      name: 'perdure_host_attempts_total',
      help: 'The same calls by host of the target: the first 100 hosts, then `other`.',
      labelNames: ['host', ...outcome],
      registers,
    }),
    attemptSeconds: new Histogram({
      name: 'perdure_attempt_duration_seconds',
      help: 'Duration of the calls to targets, by host.',
      labelNames: ['host'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    }),
    retries: new Counter({
      name: 'perdure_retries_scheduled_total',
      help: 'Retries planned, by host and by what the attempt before ended with.',
      labelNames: ['host', 'cause'],
      registers,
    }),
  };
}
