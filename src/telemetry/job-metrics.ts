// Jobs from acceptance to their end, and what was refused on the way because it would have happened twice.
import { Counter, Histogram, type Registry } from 'prom-client';

import { startAtZero } from './zero.ts';

const FINAL = ['succeeded', 'failed', 'canceled', 'expired', 'unknown'];
/** Of jobs; runs add the code of what made them fail. */
export const DEAD_LETTER_REASONS = [
  'attemptsExhausted',
  'nonRetryable',
  'deadlineExceeded',
  'outcomeUnknown',
  'targetNotAllowed',
  'secretNotFound',
  'terminatedExternally',
];
const TENANT = ['default'];
const WAIT_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200];

export function createJobMetrics(registry: Registry) {
  const registers = [registry];
  const accepted = new Counter({
    name: 'perdure_jobs_accepted_total',
    help: 'Jobs accepted, by where they came from.',
    labelNames: ['tenant', 'source'],
    registers,
  });
  const duplicates = new Counter({
    name: 'perdure_duplicates_suppressed_total',
    help: 'Submissions under a known idempotency key: replayed, or refused for other content (keyReused).',
    labelNames: ['kind'],
    registers,
  });
  const finished = new Counter({
    name: 'perdure_jobs_finished_total',
    help: 'Jobs that reached a final status.',
    labelNames: ['tenant', 'status'],
    registers,
  });
  const deadLetters = new Counter({
    name: 'perdure_dead_letters_written_total',
    help: 'Dead letters written, of jobs and of runs.',
    labelNames: ['tenant', 'reason'],
    registers,
  });
  const claims = new Counter({
    name: 'perdure_claims_total',
    help: 'Tries to take a job for an attempt: claimed, or skipped because it was taken or final already.',
    labelNames: ['result'],
    registers,
  });
  return {
    accepted: startAtZero(accepted, { tenant: TENANT, source: ['submit', 'schedule', 'batch', 'redrive'] }),
    duplicates: startAtZero(duplicates, { kind: ['replayed', 'keyReused'] }),
    started: new Counter({ name: 'perdure_jobs_started_total', help: 'Jobs whose first attempt began.', registers }),
    finished: startAtZero(finished, { tenant: TENANT, status: FINAL }),
    deadLetters: startAtZero(deadLetters, { tenant: TENANT, reason: DEAD_LETTER_REASONS }),
    claims: startAtZero(claims, { result: ['claimed', 'skipped'] }),
    queueSeconds: new Histogram({
      name: 'perdure_queue_wait_seconds',
      help: 'From acceptance (or runAt) to the first attempt; without jobs that waited for others.',
      buckets: WAIT_BUCKETS,
      registers,
    }),
    finalSeconds: new Histogram({
      name: 'perdure_accepted_to_final_seconds',
      help: 'From acceptance (or runAt) to the final status.',
      labelNames: ['tenant'],
      buckets: [...WAIT_BUCKETS, 86_400],
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
  };
}
