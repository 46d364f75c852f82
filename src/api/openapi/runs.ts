// /v1/runs in the API description.
import { z } from 'zod';

import { RUN_STATUSES } from '../../contract/run.ts';
import { inlineSchema, redriveRunSchema } from '../schemas/run.ts';
import { filter, IDEMPOTENCY_KEY, LABEL, PAGE, pathId, PLACE, PREFER, WAIT } from './components.ts';
import { type Answer, NO_BODY, type Node, operation, type OperationOptions, ref, type Resource } from './document.ts';
import { definitionInput, runExample } from './run-examples.ts';
import { itemSchema, runAttemptSchema, runSchema, stepSchema } from './run-schemas.ts';
import { listOf } from './schemas.ts';

const TAG = 'Runs';
const describe = (options: OperationOptions): Node => operation(TAG, options);
const RUN_ID = pathId('id', runExample.id);
const STEP = pathId('step', 'charge');

const CREATED: Record<number, Answer> = {
  201: { description: 'The new run.', schema: 'Run', example: runExample, headers: ['Location', 'PreferenceApplied'] },
  200: {
    description: 'The answer to the first request with this key.',
    schema: 'Run',
    headers: ['Location', 'IdempotencyReplayed', 'PreferenceApplied'],
  },
};

function action(name: string, summary: string, description: string, answer: string): Node {
  return describe({
    id: `${name}Run`,
    summary,
    description,
    parameters: [RUN_ID],
    body: NO_BODY,
    answers: { 200: { description: answer, schema: 'Run' } },
    problems: ['notFound', 'alreadyFinal'],
  });
}

function attempts(id: string, summary: string, parameters: Node[]): Node {
  return describe({
    id,
    summary,
    parameters: [...parameters, ...PLACE],
    answers: { 200: { description: 'A page of attempts, oldest first.', schema: 'RunAttemptList' } },
    problems: ['notFound'],
  });
}

export const runs: Resource = {
  tag: { name: TAG, description: 'Workflows under way, and how they went.' },
  inputs: { InlineRunInput: inlineSchema, RedriveRunInput: redriveRunSchema },
  outputs: {
    Run: runSchema,
    Step: stepSchema,
    RunList: listOf(runSchema),
    ItemList: listOf(itemSchema),
    RunAttemptList: listOf(runAttemptSchema),
    Accepted: z.strictObject({ accepted: z.literal(true) }),
  },
  notes: {
    InlineRunInput: { definition: ref('schemas', 'WorkflowInput'), labels: { maxProperties: 20 } },
    RedriveRunInput: {
      fromStep: { description: 'This step and what depends on it run again.' },
      patch: { description: 'A merge patch on the input and the definition.' },
    },
  },
  paths: {
    '/v1/runs': {
      post: describe({
        id: 'startInlineRun',
        summary: 'Run a definition that is not stored',
        parameters: [IDEMPOTENCY_KEY, PREFER],
        body: {
          schema: 'InlineRunInput',
          required: true,
          examples: { order: { definition: definitionInput, input: { orderId: 42 } } },
        },
        answers: CREATED,
        problems: ['invalidIdempotencyKey', 'idempotencyKeyReused', 'targetNotAllowed', 'quotaExceeded'],
      }),
      get: describe({
        id: 'listRuns',
        summary: 'List runs, newest first',
        parameters: [
          filter('workflow', 'By the name of the workflow.', undefined, 'order'),
          filter('status', 'By status.', { type: 'string', enum: [...RUN_STATUSES] }, 'failed'),
          filter('scheduleId', 'By the schedule that made them.', undefined, 'nightly'),
          LABEL,
          ...PAGE,
        ],
        answers: {
          200: {
            description: 'A page of runs.',
            schema: 'RunList',
            example: { items: [runExample], nextCursor: null },
          },
        },
      }),
    },
    '/v1/runs/{id}': {
      get: describe({
        id: 'getRun',
        summary: 'Read a run, or wait for its end',
        parameters: [RUN_ID, WAIT],
        answers: { 200: { description: 'The run.', schema: 'Run', example: runExample } },
        problems: ['notFound'],
      }),
    },
    '/v1/runs/{id}/attempts': { get: attempts('listRunAttempts', 'List all calls of a run', [RUN_ID]) },
    '/v1/runs/{id}/steps/{step}/attempts': {
      get: attempts('listStepAttempts', 'List the calls of a step', [RUN_ID, STEP]),
    },
    '/v1/runs/{id}/steps/{step}/items': {
      get: describe({
        id: 'listItems',
        summary: 'List the items of a `forEach` step',
        parameters: [RUN_ID, STEP, ...PLACE],
        answers: { 200: { description: 'A page of items, in order.', schema: 'ItemList' } },
        problems: ['notFound'],
      }),
    },
    '/v1/runs/{id}/signals/{signal}': {
      post: describe({
        id: 'signalRun',
        summary: 'Give a run what it waits for',
        description: 'The body is the payload. One that comes early is remembered.',
        parameters: [RUN_ID, pathId('signal', 'approval')],
        body: { schema: 'Anything', required: false, examples: { approved: { approved: true } } },
        answers: { 202: { description: 'Kept.', schema: 'Accepted', example: { accepted: true } } },
        problems: ['notFound', 'alreadyFinal'],
      }),
    },
    '/v1/runs/{id}/cancel': {
      post: action(
        'cancel',
        'Cancel a run',
        'What is under way is cut off; nothing is compensated.',
        'The run, canceled.',
      ),
    },
    '/v1/runs/{id}/pause': {
      post: action('pause', 'Pause a run', 'Calls under way end, nothing new starts.', 'The run, paused.'),
    },
    '/v1/runs/{id}/resume': {
      post: action('resume', 'Resume a run', 'It goes on where it stopped.', 'The run, under way.'),
    },
    '/v1/runs/{id}/redrive': {
      post: describe({
        id: 'redriveRun',
        summary: 'Redrive a run, once',
        description: 'A new run that keeps the outputs of what has succeeded.',
        parameters: [RUN_ID, IDEMPOTENCY_KEY, PREFER],
        body: { schema: 'RedriveRunInput', required: false, examples: { asItWas: {}, fromShip: { fromStep: 'ship' } } },
        answers: CREATED,
        problems: [
          ...(['notFound', 'alreadyRedriven', 'notRedrivable', 'targetNotAllowed'] as const),
          ...(['invalidIdempotencyKey', 'idempotencyKeyReused', 'quotaExceeded'] as const),
        ],
      }),
    },
  },
};
