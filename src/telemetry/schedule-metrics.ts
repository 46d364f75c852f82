// Schedules: what became of their nominal times, how late, and what had to be put right in Temporal.
import { Counter, Histogram, type Registry } from 'prom-client';

import { startAtZero } from './zero.ts';

const OUTCOMES = ['ran', 'skippedOverlap', 'missed', 'paused', 'caughtUp', 'backfilled', 'triggered', 'notOurs'];

export function createScheduleMetrics(registry: Registry) {
  const registers = [registry];
  const ticks = new Counter({
    name: 'perdure_schedule_ticks_total',
    help: 'Nominal times of schedules by outcome; `notOurs` is what Temporal fired and our calendar does not know.',
    labelNames: ['outcome'],
    registers,
  });
  const repairs = new Counter({
    name: 'perdure_schedule_repairs_total',
    help: 'Schedules in Temporal that the auditor found missing, changed or stopped, and repaired.',
    labelNames: ['reason'],
    registers,
  });
  return {
    ticks: startAtZero(ticks, { outcome: OUTCOMES }),
    scheduleRepairs: startAtZero(repairs, { reason: ['missing', 'changed', 'stopped', 'unreadable'] }),
    auditorStarts: new Counter({
      name: 'perdure_auditor_starts_total',
      help: 'Nominal times that Temporal had not fired in time and the auditor started.',
      registers,
    }),
    tickLateness: new Histogram({
      name: 'perdure_schedule_lateness_seconds',
      help: 'From the nominal time to the acceptance of its run.',
      buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
      registers,
    }),
  };
}
