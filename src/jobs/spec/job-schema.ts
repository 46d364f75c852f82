// What a job may hold as it is sent; the rules that need the clock or the network policy are in parse-job-spec.ts.

import { z } from 'zod';

import { FINAL_JOB_STATUSES } from '../../contract/job.ts';
import { httpSchema } from './http-schema.ts';
import { notifySchema } from './notify-schema.ts';
import { retrySchema } from './retry-schema.ts';
import {
  atMostMembers,
  duration,
  exclusive,
  faultOfPrintable,
  integer,
  printable,
  repeated,
  text,
  timestamp,
  withRule,
} from './rules.ts';

export const MAX_DEPENDENCIES = 1000;
const MAX_NAME = 128;
const ID = /^[A-Za-z0-9_.:-]{1,200}$/;

export const nameSchema = printable(1, MAX_NAME);
export const prioritySchema = integer(1, 5);
export const deadlineSchema = duration({ minMs: 1, max: '365d' });
export const delaySchema = duration({ minMs: 0, max: '365d' });
export const runAtSchema = timestamp();
export const idSchema = text((value) => (ID.test(value) ? null : 'Must be an id.'), { pattern: ID.source });

// Without a colon in keys, the filter `label=key:value` can be read in one way only.
const labelKeySchema = printable(1, 64).refine((key) => !key.includes(':'), { error: 'Must not contain a colon.' });
export const labelsSchema = atMostMembers(z.record(labelKeySchema, printable(0, 256)), 20);

const shape = {
  name: nameSchema.nullish(),
  http: httpSchema,
  retry: retrySchema.optional(),
  delivery: z.enum(['atLeastOnce', 'atMostOnce']).optional(),
  lane: z.enum(['own', 'shared']).optional(),
  priority: prioritySchema.optional(),
  deadline: deadlineSchema.nullish(),
  dependsOn: z.array(idSchema).max(MAX_DEPENDENCIES).optional(),
  onDependencyFailure: z.enum(['cancel', 'run']).optional(),
  notify: notifySchema(FINAL_JOB_STATUSES).optional(),
  labels: labelsSchema.optional(),
};

const timing = { runAt: runAtSchema.nullish(), delay: delaySchema.nullish() };

export const jobInputSchema = withRule(z.strictObject({ ...shape, ...timing }), (job) => [
  ...exclusive(job, ['runAt', 'delay']),
  ...repeated(job.dependsOn, ['dependsOn']),
]);

/** A job inside a schedule, which has its own times. */
export const untimedJobInputSchema = withRule(z.strictObject(shape), (job) => repeated(job.dependsOn, ['dependsOn']));

/** What `nameSchema` says of a text, for the keys of a batch: at once, ten thousand times. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && faultOfPrintable(value, 1, MAX_NAME) === null;
}

export type JobInput = z.infer<typeof jobInputSchema>;
