// /v1/jobs in the API description.
import { JOB_STATUSES } from '../../contract/job.ts';
import { httpSchema as httpInputSchema } from '../../jobs/spec/http-schema.ts';
import { jobInputSchema } from '../../jobs/spec/job-schema.ts';
import { DEFAULT_RETRY, retrySchema as retryInputSchema } from '../../jobs/spec/retry-schema.ts';
import { filter, IDEMPOTENCY_KEY, LABEL, PAGE, pathId, PREFER, WAIT } from './components.ts';
import { NO_BODY, type Node, operation, type OperationOptions, type Resource } from './document.ts';
import { attemptsExample, jobExample, jobInput, minimalJobInput, newJobExample } from './job-examples.ts';
import { attemptSchema, httpSchema, jobSchema, resultSchema, retrySchema } from './job-schemas.ts';
import { failureSchema, listOf } from './schemas.ts';

const TAG = 'Jobs';
const JOB_ID = pathId('id', jobExample.id);
const describe = (options: OperationOptions): Node => operation(TAG, options);

export const jobs: Resource = {
  tag: { name: TAG, description: 'One HTTP call, kept durably, retried until it ends, and always accounted for.' },
  inputs: { JobInput: jobInputSchema, HttpInput: httpInputSchema, RetryInput: retryInputSchema },
  outputs: {
    Job: jobSchema,
    Http: httpSchema,
    Retry: retrySchema,
    Result: resultSchema,
    Failure: failureSchema,
    JobList: listOf(jobSchema),
    Attempt: attemptSchema,
    AttemptList: listOf(attemptSchema),
  },
  notes: {
    JobInput: {
      runAt: { description: 'At most one year ahead; up to a minute ago runs at once. Excludes `delay`.' },
      delay: { description: 'At most `365d`. Excludes `runAt`.' },
      deadline: { description: 'Counts from `runAt` or the end of `delay`, else from acceptance.' },
      delivery: {
        default: 'atLeastOnce',
        description:
          '`atLeastOnce`: repeated when the outcome is unknown, with the same `Idempotency-Key` to the target. ' +
          '`atMostOnce`: never put on the wire twice; an unknown outcome is final.',
      },
      lane: {
        default: 'own',
        description: '`shared`: its first attempt may ride with others accepted at that moment.',
      },
      priority: { default: 3, description: '1 is first.' },
      dependsOn: { description: 'Jobs that must have succeeded first.', uniqueItems: true },
      onDependencyFailure: { default: 'cancel' },
      labels: { maxProperties: 20 },
      'notify.items': { description: 'Exactly one of `webhook` and `email`.' },
      'notify.items.properties.webhook.properties.url': { format: 'uri' },
      'notify.items.properties.webhook.properties.secret': {
        description: '`whsec_` and the base64 of 24 to 64 bytes; signs by Standard Webhooks.',
      },
    },
    HttpInput: {
      method: { description: '`GET`, or `POST` when there is a body.' },
      url: { format: 'uri', description: 'http or https; ports 80, 443 and 1024 to 65535; no user info.' },
      query: { maxProperties: 100 },
      headers: {
        maxProperties: 50,
        description: 'A value may name a secret: `{"secret": "name", "format": "Bearer {}"}`.',
      },
      body: { description: 'Any JSON. Excludes `bodyText` and `bodyBase64`.' },
      timeout: { default: '10s', description: 'For the whole call; at most `10m`.' },
      successOn: { default: ['2xx'] },
      followRedirects: { default: false },
    },
    RetryInput: Object.fromEntries(Object.entries(DEFAULT_RETRY).map(([name, value]) => [name, { default: value }])),
  },
  paths: {
    '/v1/jobs': {
      post: describe({
        id: 'submitJob',
        summary: 'Submit a job',
        description: 'A 2xx means that the job is kept and will reach exactly one final state.',
        parameters: [IDEMPOTENCY_KEY, PREFER],
        body: { schema: 'JobInput', required: true, examples: { minimal: minimalJobInput, full: jobInput } },
        answers: {
          201: {
            description: 'The job, accepted.',
            schema: 'Job',
            example: newJobExample,
            headers: ['Location', 'PreferenceApplied'],
          },
          200: {
            description: 'The answer to the first request with this key.',
            schema: 'Job',
            example: newJobExample,
            headers: ['Location', 'IdempotencyReplayed', 'PreferenceApplied'],
          },
        },
        problems: ['invalidIdempotencyKey', 'idempotencyKeyReused', 'targetNotAllowed', 'quotaExceeded'],
      }),
      get: describe({
        id: 'listJobs',
        summary: 'List jobs, newest first',
        parameters: [
          filter('status', 'By status.', { type: 'string', enum: [...JOB_STATUSES] }, 'failed'),
          filter('name', 'By name.', undefined, 'charge-order'),
          LABEL,
          filter('host', 'By the host of the target, without port.', undefined, 'api.example.com'),
          filter('scheduleId', 'By the schedule that made them.', undefined, 'nightly'),
          filter('batchId', 'By the batch they belong to.', undefined, 'bat_01994f3e'),
          ...PAGE,
        ],
        answers: {
          200: {
            description: 'A page of jobs.',
            schema: 'JobList',
            example: { items: [jobExample], nextCursor: null },
          },
        },
      }),
    },
    '/v1/jobs/{id}': {
      get: describe({
        id: 'getJob',
        summary: 'Read a job, or wait for its end',
        parameters: [JOB_ID, WAIT],
        answers: { 200: { description: 'The job.', schema: 'Job', example: jobExample } },
        problems: ['notFound'],
      }),
    },
    '/v1/jobs/{id}/attempts': {
      get: describe({
        id: 'listAttempts',
        summary: 'List the attempts of a job',
        parameters: [JOB_ID],
        answers: {
          200: { description: 'All attempts, first to last.', schema: 'AttemptList', example: attemptsExample },
        },
        problems: ['notFound'],
      }),
    },
    '/v1/jobs/{id}/cancel': {
      post: describe({
        id: 'cancelJob',
        summary: 'Cancel a job',
        description: 'A call under way is cut off.',
        parameters: [JOB_ID],
        body: NO_BODY,
        answers: { 200: { description: 'The job, canceled.', schema: 'Job' } },
        problems: ['notFound', 'alreadyFinal'],
      }),
    },
    '/v1/jobs/{id}/run-now': {
      post: describe({
        id: 'runJobNow',
        summary: 'Run a waiting job now',
        description: 'Only while it is `scheduled` or `retrying`.',
        parameters: [JOB_ID],
        body: NO_BODY,
        answers: { 200: { description: 'The job, queued.', schema: 'Job' } },
        problems: ['notFound', 'notWaiting'],
      }),
    },
  },
};
