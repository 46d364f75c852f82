// /v1/batches in the API description.
import { z } from 'zod';

import type { batchView } from '../../jobs/batches/view.ts';
import { httpShape } from '../../jobs/spec/http-schema.ts';
import { jobInputSchema, nameSchema } from '../../jobs/spec/job-schema.ts';
import { batchSchema, DEFAULT_CONCURRENCY } from '../schemas/batch.ts';
import { filter, IDEMPOTENCY_KEY, LABEL, PAGE, pathId, PREFER, WAIT } from './components.ts';
import { NO_BODY, type Node, operation, type OperationOptions, type Resource } from './document.ts';
import { answerSchema, count, id, instant, labels, listOf } from './schemas.ts';

const TAG = 'Batches';
const STATUSES = ['running', 'finished', 'canceled'] as const;
const describe = (options: OperationOptions): Node => operation(TAG, options);

/** Of an item any field may be left to the defaults, so nothing is required of either. */
const jobFields = { ...jobInputSchema.shape, http: z.strictObject(httpShape).partial().optional() };
const itemSchema = z.strictObject({ ...jobFields, key: nameSchema.optional() });
const defaultsSchema = z.strictObject(jobFields).partial();

const batchAnswer = answerSchema<ReturnType<typeof batchView>>()(
  z.strictObject({
    id,
    name: z.string().nullable(),
    status: z.enum(STATUSES),
    counts: z.strictObject({
      total: count,
      queued: count,
      running: count,
      retrying: count,
      succeeded: count,
      failed: count,
      canceled: count,
    }),
    concurrency: z.int(),
    labels,
    createdAt: instant,
    finishedAt: instant.nullable(),
    links: z.strictObject({ self: z.string(), jobs: z.string(), temporal: z.string().nullable() }),
  }),
);

const ID = 'bat_01994f3eaf4d7e85a03b6c9d4f5e7081';
const newBatchExample = {
  id: ID,
  name: 'reminders',
  status: 'running',
  counts: { total: 2, queued: 2, running: 0, retrying: 0, succeeded: 0, failed: 0, canceled: 0 },
  concurrency: 50,
  labels: {},
  createdAt: '2026-12-01T12:00:00.000Z',
  finishedAt: null,
  links: { self: `/v1/batches/${ID}`, jobs: `/v1/jobs?batchId=${ID}`, temporal: null },
};
const batchInput = {
  name: 'reminders',
  defaults: { http: { method: 'POST', url: 'https://api.example.com/remind' }, retry: { maxAttempts: 3 } },
  items: [
    { key: 'ada', http: { body: { to: 'ada' } } },
    { key: 'grace', http: { body: { to: 'grace' } } },
  ],
};
const BATCH_ID = pathId('id', ID);

const linesParameters: Node[] = [
  { name: 'name', in: 'query', description: 'Only with lines: the name of the batch.', schema: { type: 'string' } },
  {
    name: 'concurrency',
    in: 'query',
    description: 'Only with lines: as in the body.',
    schema: { type: 'integer', minimum: 1, maximum: 1_000 },
  },
];

export const batches: Resource = {
  tag: { name: TAG, description: 'Up to 10,000 jobs accepted together, read and canceled as one.' },
  inputs: { BatchInput: batchSchema, BatchItem: itemSchema, BatchDefaults: defaultsSchema },
  outputs: { Batch: batchAnswer, BatchList: listOf(batchAnswer) },
  notes: {
    BatchInput: {
      defaults: { $ref: '#/components/schemas/BatchDefaults', description: 'Merged under each item, field by field.' },
      'items.items': { $ref: '#/components/schemas/BatchItem' },
      concurrency: { default: DEFAULT_CONCURRENCY, description: 'How many calls are under way at once.' },
      labels: { maxProperties: 20 },
    },
    BatchItem: { key: { description: 'Unique within the batch.' } },
  },
  paths: {
    '/v1/batches': {
      post: describe({
        id: 'createBatch',
        summary: 'Submit many jobs at once',
        description: 'All or nothing: one bad item refuses the batch. As `application/x-ndjson`: one item a line.',
        parameters: [IDEMPOTENCY_KEY, PREFER, ...linesParameters],
        body: {
          schema: 'BatchInput',
          required: true,
          examples: { withDefaults: batchInput },
          mediaTypes: { 'application/x-ndjson': { schema: { type: 'string' } } },
        },
        answers: {
          201: {
            description: 'The batch, accepted.',
            schema: 'Batch',
            example: newBatchExample,
            headers: ['Location', 'PreferenceApplied'],
          },
          200: {
            description: 'The answer to the first request with this key.',
            schema: 'Batch',
            headers: ['Location', 'IdempotencyReplayed', 'PreferenceApplied'],
          },
        },
        problems: ['invalidIdempotencyKey', 'idempotencyKeyReused', 'targetNotAllowed', 'quotaExceeded'],
      }),
      get: describe({
        id: 'listBatches',
        summary: 'List batches, newest first',
        parameters: [
          filter('status', 'By status.', { type: 'string', enum: [...STATUSES] }, 'running'),
          filter('name', 'By name.', undefined, 'reminders'),
          LABEL,
          ...PAGE,
        ],
        answers: {
          200: {
            description: 'A page of batches.',
            schema: 'BatchList',
            example: { items: [newBatchExample], nextCursor: null },
          },
        },
      }),
    },
    '/v1/batches/{id}': {
      get: describe({
        id: 'getBatch',
        summary: 'Read a batch, or wait for its end',
        parameters: [BATCH_ID, WAIT],
        answers: { 200: { description: 'The batch.', schema: 'Batch', example: newBatchExample } },
        problems: ['notFound'],
      }),
    },
    '/v1/batches/{id}/cancel': {
      post: describe({
        id: 'cancelBatch',
        summary: 'Cancel what is open of a batch',
        parameters: [BATCH_ID],
        body: NO_BODY,
        answers: { 200: { description: 'The batch, canceled.', schema: 'Batch' } },
        problems: ['notFound', 'alreadyFinal'],
      }),
    },
  },
};
