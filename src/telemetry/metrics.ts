// What Prometheus reads: one registry, every metric named here with a closed set of labels.
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    accepted: new Counter({
      name: 'perdure_jobs_accepted_total',
      help: 'Jobs accepted.',
      labelNames: ['source'],
      registers,
    }),
    duplicates: new Counter({
      name: 'perdure_duplicates_suppressed_total',
      help: 'Submissions under a known idempotency key: replayed, or refused for other content.',
      labelNames: ['kind'],
      registers,
    }),
    finished: new Counter({
      name: 'perdure_jobs_finished_total',
      help: 'Jobs that reached a final status.',
      labelNames: ['status'],
      registers,
    }),
    attempts: new Counter({
      name: 'perdure_attempts_total',
      help: 'Calls made, by outcome and class of the status code.',
      labelNames: ['outcome', 'status_class'],
      registers,
    }),
    retries: new Counter({ name: 'perdure_retries_scheduled_total', help: 'Retries planned.', registers }),
    deadLetters: new Counter({
      name: 'perdure_dead_letters_total',
      help: 'Dead letters written.',
      labelNames: ['reason'],
      registers,
    }),
    lostAttempts: new Counter({
      name: 'perdure_attempts_lost_total',
      help: 'Attempts whose worker vanished in the middle of the call.',
      registers,
    }),
    zombieWrites: new Counter({
      name: 'perdure_zombie_writes_refused_total',
      help: 'Results refused because another attempt or a final status had taken their place.',
      registers,
    }),
    runsFinished: new Counter({
      name: 'perdure_runs_finished_total',
      help: 'Runs of workflows that reached a final status.',
      labelNames: ['status'],
      registers,
    }),
    relayStarts: new Counter({
      name: 'perdure_relay_starts_total',
      help: 'Workflows started by the relay.',
      registers,
    }),
    relayRepairs: new Counter({
      name: 'perdure_relay_repairs_total',
      help: 'Jobs settled by the relay because Temporal and PostgreSQL disagreed.',
      labelNames: ['reason'],
      registers,
    }),
    ticks: new Counter({
      name: 'perdure_schedule_ticks_total',
      help: 'Nominal times of schedules by outcome; `notOurs` is what Temporal fired and our calendar does not know.',
      labelNames: ['outcome'],
      registers,
    }),
    tickLateness: new Histogram({
      name: 'perdure_schedule_lateness_seconds',
      help: 'From the nominal time to the acceptance of its run.',
      buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
      registers,
    }),
    scheduleRepairs: new Counter({
      name: 'perdure_schedule_repairs_total',
      help: 'Schedules in Temporal that the auditor found missing, changed or stopped, and repaired.',
      labelNames: ['reason'],
      registers,
    }),
    notifications: new Counter({
      name: 'perdure_notifications_total',
      help: 'Notifications by kind and outcome.',
      labelNames: ['kind', 'outcome'],
      registers,
    }),
    attemptSeconds: new Histogram({
      name: 'perdure_attempt_duration_seconds',
      help: 'Duration of the calls to targets.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    }),
    finalSeconds: new Histogram({
      name: 'perdure_accepted_to_final_seconds',
      help: 'Time from acceptance (or runAt) to the final status.',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'perdure_http_request_duration_seconds',
      help: 'API requests by route.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
  };
}
