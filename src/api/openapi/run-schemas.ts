// What workflows, runs and their steps look like, sent and answered.
import { z } from 'zod';

import { RUN_STATUSES } from '../../contract/run.ts';
import type { itemView, RunView, StepView, workflowView } from '../../jobs/runs/view.ts';
import { notifySchema as notifyInputSchema } from '../../jobs/spec/notify-schema.ts';
import { retrySchema as retryInputSchema } from '../../jobs/spec/retry-schema.ts';
import { FINAL_RUN_STATUSES, MAX_STEPS, ON_ERROR, RUN_WHEN } from '../../language/definition.ts';
import type { Plan } from '../../language/plan.ts';
import { attemptSchema } from './job-schemas.ts';
import { answerSchema, count, failureSchema, id, instant, labels } from './schemas.ts';

const STEP_STATUSES = [
  ...['pending', 'running', 'waiting', 'retrying', 'succeeded', 'failed', 'skipped', 'canceled', 'compensated'],
] as StepView['status'][];
const stepStatus = z.enum(STEP_STATUSES);

export const stepSchema = answerSchema<StepView>()(
  z.strictObject({
    id: z.string(),
    status: stepStatus,
    attempts: count,
    output: z.unknown(),
    error: failureSchema.nullable(),
    startedAt: instant.nullable(),
    finishedAt: instant.nullable(),
    items: z.strictObject({ total: count, running: count, succeeded: count, failed: count }).nullable(),
    childRunId: id.nullable(),
  }),
);

export const runSchema = answerSchema<RunView>()(
  z.strictObject({
    id,
    workflow: z.string().nullable().meta({ description: '`null` for a definition that was sent with the run.' }),
    version: z.int().nullable(),
    status: z.enum(RUN_STATUSES),
    input: z.unknown(),
    output: z.unknown(),
    error: failureSchema.nullable(),
    steps: z.array(stepSchema),
    labels,
    priority: z.int(),
    runAt: instant.nullable(),
    deadlineAt: instant.nullable(),
    parentRunId: id.nullable(),
    parentStepId: z.string().nullable(),
    scheduleId: id.nullable(),
    redriveOf: id.nullable(),
    redrivenAs: id.nullable(),
    createdAt: instant,
    updatedAt: instant,
    startedAt: instant.nullable(),
    finishedAt: instant.nullable(),
    links: z.strictObject({
      self: z.string(),
      attempts: z.string(),
      workflow: z.string().nullable(),
      temporal: z.string().nullable(),
    }),
  }),
);

export const itemSchema = answerSchema<ReturnType<typeof itemView>>()(
  z.strictObject({
    index: count,
    status: stepStatus,
    attempts: count,
    output: z.unknown(),
    error: failureSchema.nullable(),
  }),
);

export const runAttemptSchema = z.strictObject({
  stepId: z.string(),
  itemIndex: z.int().nullable(),
  compensation: z.boolean(),
  ...attemptSchema.shape,
});

export const workflowSchema = answerSchema<ReturnType<typeof workflowView>>()(
  z.strictObject({
    name: z.string(),
    version: z.int(),
    description: z.string().nullable(),
    definition: z.unknown(),
    createdAt: instant,
    links: z.strictObject({ self: z.string(), version: z.string(), graph: z.string(), runs: z.string() }),
  }),
);

export const planSchema = answerSchema<Plan>()(
  z.strictObject({
    steps: z.array(
      z.strictObject({
        id: z.string(),
        dependsOn: z.array(z.string()),
        needsOutput: z.array(z.string()),
        depth: z.int(),
      }),
    ),
    order: z.array(z.string()),
  }),
);

/** Any text in it may be a template, so the rules of jobs hold for what it becomes. */
const call = z.looseObject({ url: z.string() });
const retry = retryInputSchema.optional();
const delivery = z.enum(['atLeastOnce', 'atMostOnce']).optional();
const jsonSchema = z.union([z.boolean(), z.record(z.string(), z.unknown())]);

export const stepInputSchema = z.strictObject({
  id: z.string(),
  dependsOn: z.array(z.string()).optional(),
  runWhen: z.enum(RUN_WHEN).optional(),
  onError: z.enum(ON_ERROR).optional(),
  if: z.string().optional(),
  forEach: z.unknown().optional(),
  as: z.string().optional(),
  concurrency: z.int().optional(),
  retry,
  delivery,
  compensate: z.strictObject({ http: call, retry, delivery }).optional(),
  http: call.optional(),
  wait: z.strictObject({ for: z.string().optional(), until: z.string().optional() }).optional(),
  waitFor: z
    .strictObject({
      signal: z.string(),
      timeout: z.string().optional(),
      onTimeout: z.enum(ON_ERROR).optional(),
      schema: jsonSchema.optional(),
    })
    .optional(),
  workflow: z.strictObject({ name: z.string(), version: z.int().optional(), input: z.unknown().optional() }).optional(),
  transform: z.unknown().optional(),
});

export const definitionSchema = z.strictObject({
  description: z.string().optional(),
  input: z.strictObject({ schema: jsonSchema }).optional(),
  defaults: z.strictObject({ timeout: z.string().optional(), retry }).optional(),
  steps: z.array(stepInputSchema).min(1).max(MAX_STEPS),
  output: z.unknown().optional(),
  notify: notifyInputSchema(FINAL_RUN_STATUSES).optional(),
  onFailure: z.enum(['compensate', 'stop']).optional(),
});
