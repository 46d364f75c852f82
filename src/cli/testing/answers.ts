// A job as the service answers it, for tests of what is shown of it.
export const job = {
  id: 'job_1',
  name: 'charge',
  status: 'queued',
  http: { method: 'POST', url: 'https://api.example.com/charge' },
  attempts: 0,
  nextAttemptAt: null,
  runAt: null,
  result: null,
  error: null,
  createdAt: '2026-12-01T12:00:00.000Z',
  finishedAt: null,
};
