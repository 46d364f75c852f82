// One job, from submission to its end, as examples.
import { withRetryDefaults } from '../../jobs/spec/retry-schema.ts';

const ID = 'job_01994f3e7c1a7b529d0e3f6a1c2b4d5e';

export const minimalJobInput = { http: { url: 'https://api.example.com/ping' } };

export const jobInput = {
  name: 'charge-order',
  http: {
    method: 'POST',
    url: 'https://api.example.com/charge',
    headers: { 'X-Tenant': 'acme' },
    body: { order: 42 },
    timeout: '10s',
  },
  delay: '30s',
  deadline: '1h',
  retry: { maxAttempts: 8, maxInterval: '5m' },
  notify: [{ on: ['failed'], webhook: { url: 'https://hooks.example.com/perdure' } }],
  labels: { team: 'billing' },
};

export const jobExample = {
  id: ID,
  name: 'charge-order',
  status: 'succeeded',
  http: {
    method: 'POST',
    url: 'https://api.example.com/charge',
    query: {},
    headers: { 'X-Tenant': 'acme' },
    body: { order: 42 },
    bodyText: null,
    bodyBase64: null,
    timeout: '10s',
    successOn: ['2xx'],
    followRedirects: false,
  },
  retry: withRetryDefaults({ maxAttempts: 8, maxInterval: '5m' }),
  delivery: 'atLeastOnce',
  lane: 'own',
  priority: 3,
  runAt: '2026-12-01T12:00:30.000Z',
  deadline: '1h',
  deadlineAt: '2026-12-01T13:00:30.000Z',
  dependsOn: [],
  onDependencyFailure: 'cancel',
  notify: [{ on: ['failed'], webhook: { url: 'https://hooks.example.com/perdure', secret: null } }],
  labels: { team: 'billing' },
  attempts: 1,
  nextAttemptAt: null,
  result: {
    status: 201,
    headers: { 'content-type': 'application/json' },
    body: { id: 'ch_1' },
    truncated: false,
    durationMs: 84,
  },
  error: null,
  scheduleId: null,
  batchId: null,
  batchKey: null,
  redriveOf: null,
  createdAt: '2026-12-01T12:00:00.000Z',
  updatedAt: '2026-12-01T12:00:30.120Z',
  startedAt: '2026-12-01T12:00:30.030Z',
  finishedAt: '2026-12-01T12:00:30.120Z',
  links: { self: `/v1/jobs/${ID}`, attempts: `/v1/jobs/${ID}/attempts`, temporal: null },
};

export const newJobExample = {
  ...jobExample,
  status: 'scheduled',
  attempts: 0,
  result: null,
  updatedAt: jobExample.createdAt,
  startedAt: null,
  finishedAt: null,
};

export const attemptsExample = {
  items: [
    {
      number: 1,
      outcome: 'answered',
      httpStatus: 201,
      error: null,
      startedAt: '2026-12-01T12:00:30.030Z',
      finishedAt: '2026-12-01T12:00:30.120Z',
      durationMs: 84,
      worker: 'worker-1',
    },
  ],
  nextCursor: null,
};
