// What a job and an attempt look like in answers.
import { z } from 'zod';

import { type HttpSpec, JOB_STATUSES, type RetryPolicy } from '../../contract/job.ts';
import type { StoredResult } from '../../db/jobs.ts';
import { retryTriggerSchema, statusMatchSchema } from '../../jobs/spec/http-schema.ts';
import type { AttemptView, JobView } from '../../jobs/view.ts';
import { answerSchema, count, durationText, failureSchema, id, instant, labels } from './schemas.ts';

const secretReference = z.strictObject({ secret: z.string(), format: z.string().optional() });

export const httpSchema = answerSchema<HttpSpec>()(
  z.strictObject({
    method: z.string(),
    url: z.string(),
    query: z.record(z.string(), z.string()),
    headers: z.record(z.string(), z.union([z.string(), secretReference])),
    body: z.unknown(),
    bodyText: z.string().nullable(),
    bodyBase64: z.string().nullable(),
    timeout: durationText,
    successOn: z.array(statusMatchSchema),
    followRedirects: z.boolean(),
  }),
);

export const retrySchema = answerSchema<RetryPolicy>()(
  z.strictObject({
    maxAttempts: z.int(),
    initialInterval: durationText,
    backoffCoefficient: z.number(),
    maxInterval: durationText,
    jitter: z.number(),
    retryOn: z.array(retryTriggerSchema),
    respectRetryAfter: z.boolean(),
    maxRetryAfter: durationText,
  }),
);

export const resultSchema = answerSchema<StoredResult>()(
  z.strictObject({
    status: z.int(),
    headers: z.record(z.string(), z.string()),
    body: z.unknown().optional(),
    bodyText: z.string().optional(),
    bodyBase64: z.string().optional(),
    truncated: z.boolean().meta({ description: 'Whether the body was cut off, by the target or by our limit.' }),
    durationMs: z.int(),
  }),
);

const on = z.array(z.string());
export const notifySchema = z.union([
  z.strictObject({ on, webhook: z.strictObject({ url: z.string(), secret: z.string().nullable() }) }),
  z.strictObject({ on, email: z.strictObject({ to: z.array(z.string()) }) }),
]);

export const jobStatusSchema = z.enum(JOB_STATUSES);

export const jobSchema = answerSchema<JobView>()(
  z.strictObject({
    id,
    name: z.string().nullable(),
    status: jobStatusSchema,
    http: httpSchema,
    retry: retrySchema,
    delivery: z.enum(['atLeastOnce', 'atMostOnce']),
    lane: z.enum(['own', 'shared']),
    priority: z.int(),
    runAt: instant.nullable(),
    deadline: durationText.nullable(),
    deadlineAt: instant.nullable(),
    dependsOn: z.array(id),
    onDependencyFailure: z.enum(['cancel', 'run']),
    notify: z.array(notifySchema),
    labels,
    attempts: count,
    nextAttemptAt: instant.nullable(),
    result: resultSchema.nullable(),
    error: failureSchema.nullable(),
    scheduleId: id.nullable(),
    batchId: id.nullable(),
    batchKey: z.string().nullable(),
    redriveOf: id.nullable(),
    createdAt: instant,
    updatedAt: instant,
    startedAt: instant.nullable(),
    finishedAt: instant.nullable(),
    links: z.strictObject({ self: z.string(), attempts: z.string(), temporal: z.string().nullable() }),
  }),
);

export const attemptSchema = answerSchema<AttemptView>()(
  z.strictObject({
    number: z.int().min(1),
    outcome: z.enum(['open', 'answered', 'notSent', 'unknown']),
    httpStatus: z.int().nullable(),
    error: failureSchema.nullable(),
    startedAt: instant,
    finishedAt: instant.nullable(),
    durationMs: count.nullable(),
    worker: z.string(),
  }),
);
