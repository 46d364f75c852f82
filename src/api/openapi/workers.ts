// /v1/workers and /v1/queues in the API description.
import { z } from 'zod';

import { WORKER_STATES } from '../../contract/worker.ts';
import type { queueView, workerView } from '../../jobs/fleet/view.ts';
import { filter, PAGE, pathId } from './components.ts';
import { NO_BODY, type Node, operation, type OperationOptions, type Resource } from './document.ts';
import { answerSchema, count, id, instant, listOf } from './schemas.ts';

const TAG = 'Workers';
const describe = (options: OperationOptions): Node => operation(TAG, options);

const slots = z.strictObject({ used: count, max: count });

const workerSchema = answerSchema<ReturnType<typeof workerView>>()(
  z.strictObject({
    id,
    identity: z.string().meta({ description: 'Its name in Temporal.' }),
    host: z.string(),
    pid: z.int(),
    version: z.string(),
    roles: z.array(z.string()),
    state: z.enum(WORKER_STATES),
    queues: z.array(z.string()),
    slots: z.strictObject({ activities: slots, workflows: slots }),
    counts: z
      .strictObject({ done: count, failed: count })
      .meta({ description: 'Calls since it started, by whether they ended their job well.' }),
    startedAt: instant,
    lastHeartbeat: instant,
  }),
);

const queueSchema = answerSchema<ReturnType<typeof queueView>>()(
  z.strictObject({
    name: z.string(),
    paused: z.boolean(),
    backlog: count.meta({ description: 'What could run now and does not.' }),
    oldestAgeSeconds: z.number().nullable().meta({ description: 'For how long the first of it could have run.' }),
    workers: count.meta({ description: 'Workers that are there, whatever they do.' }),
  }),
);

const worker = {
  id: 'worker-1',
  identity: 'worker-1',
  host: 'node-a',
  pid: 4711,
  version: '1.0.0',
  roles: ['worker'],
  state: 'busy',
  queues: ['perdure'],
  slots: { activities: { used: 3, max: 200 }, workflows: { used: 12, max: 200 } },
  counts: { done: 1042, failed: 7 },
  startedAt: '2026-12-01T12:00:00.000Z',
  lastHeartbeat: '2026-12-01T12:30:00.000Z',
};
const queue = { name: 'perdure', paused: false, backlog: 12, oldestAgeSeconds: 0.4, workers: 2 };

const WORKER_ID = pathId('id', worker.id);
const QUEUE_NAME: Node = {
  name: 'name',
  in: 'path',
  required: true,
  schema: { type: 'string', minLength: 1, maxLength: 1_000 },
  example: queue.name,
};

const tellWorker = (order: string, summary: string, description: string): { post: Node } => ({
  post: describe({
    id: `${order}Worker`,
    summary,
    description,
    parameters: [WORKER_ID],
    body: NO_BODY,
    answers: { 202: { description: 'The worker; it follows within seconds.', schema: 'Worker', example: worker } },
    problems: ['notFound', 'workerEnded'],
  }),
});

const tellQueue = (order: string, summary: string, description: string): { post: Node } => ({
  post: describe({
    id: `${order}Queue`,
    summary,
    description,
    parameters: [QUEUE_NAME],
    body: NO_BODY,
    answers: {
      202: {
        description: 'The queue; its workers follow within seconds.',
        schema: 'Queue',
        example: { ...queue, paused: order === 'pause' },
      },
    },
    problems: ['notFound'],
  }),
});

export const workers: Resource = {
  tag: { name: TAG, description: 'Who does the work, what waits for it, and taking either out of service.' },
  outputs: {
    Worker: workerSchema,
    WorkerList: listOf(workerSchema),
    Queue: queueSchema,
    QueueList: listOf(queueSchema),
  },
  paths: {
    '/v1/workers': {
      get: describe({
        id: 'listWorkers',
        summary: 'List workers, newest first',
        description: 'Without `state`, those that are `drained` or `gone` are left out.',
        parameters: [filter('state', 'By state.', { type: 'string', enum: [...WORKER_STATES] }, 'gone'), ...PAGE],
        answers: {
          200: {
            description: 'A page of workers.',
            schema: 'WorkerList',
            example: { items: [worker], nextCursor: null },
          },
        },
      }),
    },
    '/v1/workers/{id}': {
      get: describe({
        id: 'getWorker',
        summary: 'Read a worker',
        parameters: [WORKER_ID],
        answers: { 200: { description: 'The worker.', schema: 'Worker', example: worker } },
        problems: ['notFound'],
      }),
    },
    '/v1/workers/{id}/pause': tellWorker(
      'pause',
      'Let a worker take nothing new',
      'Calls under way end. A pause lasts until `resume`, also over a restart under the same id.',
    ),
    '/v1/workers/{id}/resume': tellWorker('resume', 'Let it take work again', 'Takes back a pause.'),
    '/v1/workers/{id}/drain': tellWorker(
      'drain',
      'Let a worker end',
      'Its calls end, then its process; where the API runs in the same process, that stays.',
    ),
    '/v1/queues': {
      get: describe({
        id: 'listQueues',
        summary: 'List queues, newest first',
        parameters: PAGE,
        answers: {
          200: { description: 'A page of queues.', schema: 'QueueList', example: { items: [queue], nextCursor: null } },
        },
      }),
    },
    '/v1/queues/{name}': {
      get: describe({
        id: 'getQueue',
        summary: 'Read a queue',
        parameters: [QUEUE_NAME],
        answers: { 200: { description: 'The queue.', schema: 'Queue', example: queue } },
        problems: ['notFound'],
      }),
    },
    '/v1/queues/{name}/pause': tellQueue(
      'pause',
      'Start nothing new from a queue',
      'Jobs are accepted all the same and stay `queued`; calls under way end.',
    ),
    '/v1/queues/{name}/resume': tellQueue('resume', 'Start from a queue again', 'What waited runs.'),
  },
};
