// /v1/dead-letters and /v1/bulk-operations in the API description.
import { z } from 'zod';

import { FAILURE_CODES } from '../../contract/problem.ts';
import type { DeadLetterView } from '../../jobs/view.ts';
import { bulkSchema, redriveSchema } from '../schemas/redrive.ts';
import { filter, IDEMPOTENCY_KEY, PAGE, pathId, PREFER, WAIT } from './components.ts';
import { NO_BODY, type Node, operation, type OperationOptions, type Resource } from './document.ts';
import { newJobExample } from './job-examples.ts';
import { jobSchema } from './job-schemas.ts';
import { runSchema } from './run-schemas.ts';
import { answerSchema, count, failureSchema, id, instant, listOf } from './schemas.ts';

const TAG = 'Dead letters';
const describe = (options: OperationOptions): Node => operation(TAG, options);

const deadLetterSchema = answerSchema<DeadLetterView>()(
  z.strictObject({
    id,
    kind: z.enum(['job', 'run']),
    jobId: id.nullable(),
    runId: id.nullable(),
    stepId: z.string().nullable(),
    name: z.string().nullable(),
    reason: z.string().meta({ examples: ['attemptsExhausted'] }),
    error: failureSchema.nullable(),
    attempts: count,
    fingerprint: z.string().meta({ description: 'The same for failures of the same kind.' }),
    target: z.string().meta({ description: 'Method and URL, without query.' }),
    createdAt: instant,
    redrivenAs: id.nullable(),
  }),
);

const bulkOperationSchema = z.strictObject({
  id,
  status: z.enum(['running', 'finished', 'aborted']),
  counts: z.strictObject({ total: count, done: count, skipped: count, failed: count }),
  createdAt: instant,
  finishedAt: instant.nullable(),
});

const deadLetterExample = {
  id: 'dl_01994f3e8d2b7c639e1f4a7b2d3c5e6f',
  kind: 'job',
  jobId: 'job_01994f3e7c1a7b529d0e3f6a1c2b4d5e',
  runId: null,
  stepId: null,
  name: 'charge-order',
  reason: 'nonRetryable',
  error: {
    type: 'urn:perdure:error:httpStatus',
    code: 'httpStatus',
    title: 'The target answered 404',
    status: 404,
    detail: null,
  },
  attempts: 1,
  fingerprint: '5d41402abc4b2a76',
  target: 'POST https://api.example.com/charge',
  createdAt: '2026-12-01T12:00:30.120Z',
  redrivenAs: null,
};

const bulkExample = {
  id: 'bulk_01994f3e9e3c7d749f2a5b8c3e4d6f70',
  status: 'running',
  counts: { total: 120, done: 40, skipped: 2, failed: 0 },
  createdAt: '2026-12-01T12:05:00.000Z',
  finishedAt: null,
};

const DEAD_LETTER_ID = pathId('id', deadLetterExample.id);
const BULK_ID = pathId('id', bulkExample.id);

export const deadLetters: Resource = {
  tag: { name: TAG, description: 'What failed for good, and how it gets another chance.' },
  inputs: { RedriveInput: redriveSchema, BulkRedriveInput: bulkSchema },
  outputs: {
    DeadLetter: deadLetterSchema,
    DeadLetterList: listOf(deadLetterSchema),
    BulkOperation: bulkOperationSchema,
    Redriven: z.union([jobSchema, runSchema]),
  },
  notes: {
    RedriveInput: {
      patch: { description: 'A merge patch (RFC 7396) on the spec of the job.' },
      newKey: { default: false, description: 'Give the target a new `Idempotency-Key`: the effect may happen again.' },
      fromStep: { description: 'Of a run only.' },
    },
    BulkRedriveInput: {
      ids: { description: 'Excludes `filter`.' },
      filter: { minProperties: 1, description: 'Those not redriven yet that match. Excludes `ids`.' },
      maxPerSecond: { default: 50 },
    },
  },
  paths: {
    '/v1/dead-letters': {
      get: describe({
        id: 'listDeadLetters',
        summary: 'List dead letters, newest first',
        parameters: [
          filter('reason', 'By reason.', { type: 'string', enum: FAILURE_CODES }, 'attemptsExhausted'),
          filter('name', 'By the name of the job.', undefined, 'charge-order'),
          filter('host', 'By the host of the target, without port.', undefined, 'api.example.com'),
          filter('fingerprint', 'By the kind of failure.', undefined, deadLetterExample.fingerprint),
          filter('kind', 'Jobs or runs.', { type: 'string', enum: ['job', 'run'] }, 'job'),
          filter('redriven', 'Whether it was redriven.', { type: 'string', enum: ['true', 'false'] }, 'false'),
          ...PAGE,
        ],
        answers: {
          200: {
            description: 'A page of dead letters.',
            schema: 'DeadLetterList',
            example: { items: [deadLetterExample], nextCursor: null },
          },
        },
      }),
    },
    '/v1/dead-letters/{id}': {
      get: describe({
        id: 'getDeadLetter',
        summary: 'Read a dead letter',
        parameters: [DEAD_LETTER_ID],
        answers: { 200: { description: 'The dead letter.', schema: 'DeadLetter', example: deadLetterExample } },
        problems: ['notFound'],
      }),
      delete: describe({
        id: 'deleteDeadLetter',
        summary: 'Delete a dead letter',
        description: 'The job it came from stays.',
        parameters: [DEAD_LETTER_ID],
        answers: { 204: { description: 'Deleted.' } },
        problems: ['notFound'],
      }),
    },
    '/v1/dead-letters/{id}/redrive': {
      post: describe({
        id: 'redriveDeadLetter',
        summary: 'Redrive a dead letter, once',
        description:
          'Makes a new job or run with `redriveOf`; the target sees the same `Idempotency-Key` unless `newKey`.',
        parameters: [DEAD_LETTER_ID, IDEMPOTENCY_KEY, PREFER],
        body: {
          schema: 'RedriveInput',
          required: false,
          examples: { asItWas: {}, otherUrl: { patch: { http: { url: 'https://api.example.com/v2/charge' } } } },
        },
        answers: {
          201: {
            description: 'The new job or run.',
            schema: 'Redriven',
            example: newJobExample,
            headers: ['Location', 'PreferenceApplied'],
          },
          200: {
            description: 'The answer to the first request with this key.',
            schema: 'Redriven',
            headers: ['Location', 'IdempotencyReplayed', 'PreferenceApplied'],
          },
        },
        problems: [
          ...(['notFound', 'alreadyRedriven', 'notRedrivable', 'targetNotAllowed'] as const),
          ...(['invalidIdempotencyKey', 'idempotencyKeyReused', 'quotaExceeded'] as const),
        ],
      }),
    },
    '/v1/dead-letters/redrive': {
      post: describe({
        id: 'redriveDeadLetters',
        summary: 'Redrive many dead letters in the background',
        parameters: [IDEMPOTENCY_KEY, PREFER],
        body: {
          schema: 'BulkRedriveInput',
          required: true,
          examples: { byFilter: { filter: { fingerprint: '5d41402abc4b2a76' }, maxPerSecond: 10 } },
        },
        answers: {
          202: {
            description: 'The operation, started.',
            schema: 'BulkOperation',
            example: bulkExample,
            headers: ['Location'],
          },
          200: {
            description: 'The answer to the first request with this key.',
            schema: 'BulkOperation',
            headers: ['Location', 'IdempotencyReplayed'],
          },
        },
        problems: ['invalidIdempotencyKey', 'idempotencyKeyReused'],
      }),
    },
    '/v1/bulk-operations/{id}': {
      get: describe({
        id: 'getBulkOperation',
        summary: 'Read how far a bulk operation is, or wait for its end',
        parameters: [BULK_ID, WAIT],
        answers: { 200: { description: 'The operation.', schema: 'BulkOperation', example: bulkExample } },
        problems: ['notFound'],
      }),
    },
    '/v1/bulk-operations/{id}/abort': {
      post: describe({
        id: 'abortBulkOperation',
        summary: 'Abort a bulk operation',
        description: 'What it has redriven stays redriven.',
        parameters: [BULK_ID],
        body: NO_BODY,
        answers: { 200: { description: 'The operation, aborted.', schema: 'BulkOperation' } },
        problems: ['notFound', 'alreadyFinal'],
      }),
    },
  },
};
