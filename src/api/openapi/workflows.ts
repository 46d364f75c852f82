// /v1/workflows in the API description.
import { z } from 'zod';

import { startSchema } from '../schemas/run.ts';
import { IDEMPOTENCY_KEY, PAGE, PREFER } from './components.ts';
import { type Node, operation, type OperationOptions, type Resource } from './document.ts';
import { definitionInput, planExample, runExample, workflowExample } from './run-examples.ts';
import { definitionSchema, planSchema, stepInputSchema, workflowSchema } from './run-schemas.ts';
import { listOf } from './schemas.ts';

const TAG = 'Workflows';
const describe = (options: OperationOptions): Node => operation(TAG, options);
const named = (name: string, schema: Node, example: unknown): Node => ({
  name,
  in: 'path',
  required: true,
  schema,
  example,
});

const NAME = named('name', { type: 'string', pattern: '^[a-zA-Z0-9_-]{1,64}$', not: { const: 'validate' } }, 'order');
const VERSION = named('version', { type: 'integer', minimum: 1, maximum: 999_999_999 }, 1);

export const workflows: Resource = {
  tag: { name: TAG, description: 'Steps that depend on each other, kept in versions.' },
  inputs: { WorkflowInput: definitionSchema, StepInput: stepInputSchema, RunInput: startSchema },
  outputs: {
    Workflow: workflowSchema,
    WorkflowList: listOf(workflowSchema),
    ValidWorkflow: z.strictObject({ valid: z.literal(true), plan: planSchema }),
  },
  notes: {
    WorkflowInput: {
      output: { description: 'A template of the output of the run.' },
      onFailure: { default: 'compensate' },
    },
    StepInput: {
      id: { pattern: '^[a-zA-Z_][a-zA-Z0-9_]{0,63}$' },
      dependsOn: { description: 'What an expression refers to is a dependency without being named here.' },
      runWhen: { default: 'allSucceeded' },
      onError: { default: 'fail' },
      if: { description: 'CEL; when false, the step is skipped.' },
      forEach: { description: 'A list, or a text that is one `${ … }` giving a list: the step runs for each item.' },
      http: { description: 'As in a job. Exactly one of `http`, `wait`, `waitFor`, `workflow`, `transform`.' },
      wait: { description: 'Exactly one of `for` and `until`.' },
    },
    RunInput: { labels: { maxProperties: 20 }, version: { description: 'The latest, if it is left out.' } },
  },
  paths: {
    '/v1/workflows': {
      get: describe({
        id: 'listWorkflows',
        summary: 'List workflows, each in its latest version',
        parameters: PAGE,
        answers: {
          200: {
            description: 'A page of workflows.',
            schema: 'WorkflowList',
            example: { items: [workflowExample], nextCursor: null },
          },
        },
      }),
    },
    '/v1/workflows/validate': {
      post: describe({
        id: 'validateWorkflow',
        summary: 'Check a definition without storing it',
        description: 'A 422 names every fault at once.',
        body: { schema: 'WorkflowInput', required: true, examples: { order: definitionInput } },
        answers: { 200: { description: 'It is valid.', schema: 'ValidWorkflow', example: planExample } },
        problems: ['targetNotAllowed'],
      }),
    },
    '/v1/workflows/{name}': {
      put: describe({
        id: 'putWorkflow',
        summary: 'Store a definition as a new version',
        description: 'What equals the latest version changes nothing.',
        parameters: [NAME],
        body: { schema: 'WorkflowInput', required: true, examples: { order: definitionInput } },
        answers: {
          201: { description: 'A new version.', schema: 'Workflow', example: workflowExample, headers: ['Location'] },
          200: { description: 'The latest version, which is equal.', schema: 'Workflow' },
        },
        problems: ['targetNotAllowed'],
      }),
      get: describe({
        id: 'getWorkflow',
        summary: 'Read the latest version',
        parameters: [NAME],
        answers: { 200: { description: 'The workflow.', schema: 'Workflow', example: workflowExample } },
        problems: ['notFound'],
      }),
      delete: describe({
        id: 'deleteWorkflow',
        summary: 'Delete a workflow',
        description: 'Runs that have started go on.',
        parameters: [NAME],
        answers: { 204: { description: 'Deleted.' } },
        problems: ['notFound'],
      }),
    },
    '/v1/workflows/{name}/versions/{version}': {
      get: describe({
        id: 'getWorkflowVersion',
        summary: 'Read one version',
        parameters: [NAME, VERSION],
        answers: { 200: { description: 'The workflow.', schema: 'Workflow' } },
        problems: ['notFound'],
      }),
    },
    '/v1/workflows/{name}/graph': {
      get: describe({
        id: 'drawWorkflow',
        summary: 'Draw the latest version',
        parameters: [NAME],
        answers: { 200: { description: 'A Mermaid graph.', mediaType: 'text/plain' } },
        problems: ['notFound'],
      }),
    },
    '/v1/workflows/{name}/runs': {
      post: describe({
        id: 'startRun',
        summary: 'Run a workflow',
        parameters: [NAME, IDEMPOTENCY_KEY, PREFER],
        body: { schema: 'RunInput', required: false, examples: { order: { input: { orderId: 42 } } } },
        answers: {
          201: {
            description: 'The run, accepted.',
            schema: 'Run',
            example: runExample,
            headers: ['Location', 'PreferenceApplied'],
          },
          200: {
            description: 'The answer to the first request with this key.',
            schema: 'Run',
            headers: ['Location', 'IdempotencyReplayed', 'PreferenceApplied'],
          },
        },
        problems: ['notFound', 'invalidIdempotencyKey', 'idempotencyKeyReused', 'quotaExceeded'],
      }),
    },
  },
};
