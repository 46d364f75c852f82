// Runs of workflows and their steps, notifications, and what the relay had to start or settle.
import { Counter, Histogram, type Registry } from 'prom-client';

import { startAtZero } from './zero.ts';

export function createRunMetrics(registry: Registry) {
  const registers = [registry];
  const accepted = new Counter({
    name: 'perdure_runs_accepted_total',
    help: 'Runs of workflows accepted, without those that are steps of other runs.',
    labelNames: ['tenant'],
    registers,
  });
  const finished = new Counter({
    name: 'perdure_runs_finished_total',
    help: 'Runs of workflows that reached a final status.',
    labelNames: ['tenant', 'status'],
    registers,
  });
  const steps = new Counter({
    name: 'perdure_run_steps_finished_total',
    help: 'Steps of runs by how they ended, counted at the end of their run.',
    labelNames: ['status'],
    registers,
  });
  const notifications = new Counter({
    name: 'perdure_notifications_total',
    help: 'Notifications by kind and outcome: delivered, failed (it is tried again), givenUp (that was the last try), or gone (the endpoint answered 410).',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const relayRepairs = new Counter({
    name: 'perdure_relay_repairs_total',
    help: 'Jobs, runs and batches settled by the relay because their workflow had ended without them.',
    labelNames: ['reason'],
    registers,
  });
  return {
    runsAccepted: startAtZero(accepted, { tenant: ['default'] }),
    runsFinished: startAtZero(finished, {
      tenant: ['default'],
      status: ['succeeded', 'failed', 'canceled', 'expired'],
    }),
    runSeconds: new Histogram({
      name: 'perdure_run_duration_seconds',
      help: 'From the acceptance of a run (or runAt) to its final status.',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86_400, 604_800],
      registers,
    }),
    stepsFinished: startAtZero(steps, { status: ['succeeded', 'failed', 'skipped', 'canceled', 'compensated'] }),
    notifications: startAtZero(notifications, {
      kind: ['webhook', 'email'],
      outcome: ['delivered', 'failed', 'givenUp', 'gone'],
    }),
    relayStarts: new Counter({
      name: 'perdure_relay_starts_total',
      help: 'Workflows started by the relay, because whoever accepted them had not.',
      registers,
    }),
    relayRepairs: startAtZero(relayRepairs, { reason: ['absent', 'canceled', 'closed'] }),
  };
}
