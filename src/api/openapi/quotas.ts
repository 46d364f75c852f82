// /v1/quotas in the API description.
import { z } from 'zod';

import { TENANT_PATTERN } from '../../contract/access.ts';
import type { quotaView } from '../routes/quotas.ts';
import { quotaSchema } from '../schemas/quota.ts';
import { type Node, operation, type OperationOptions, type Resource } from './document.ts';
import { answerSchema } from './schemas.ts';

const TAG = 'Quotas';
const describe = (options: OperationOptions): Node => operation(TAG, options);

const limit = z.int().nullable();
const schema = answerSchema<ReturnType<typeof quotaView>>()(
  z.strictObject({
    tenant: z.string(),
    requestsPerSecond: limit.meta({ description: 'Counted by each API process on its own.' }),
    waitingJobs: limit.meta({ description: 'Jobs and runs that are not final.' }),
    schedules: limit,
    bodyBytes: limit,
  }),
);

const limits = { requestsPerSecond: 100, waitingJobs: 50_000, schedules: null, bodyBytes: 0 };
const example = { tenant: 'billing', ...limits };

const TENANT: Node = {
  name: 'tenant',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: TENANT_PATTERN.source },
  example: example.tenant,
};

export const quotas: Resource = {
  tag: { name: TAG, description: 'What a tenant may use: a number, `0` for no limit, or `null` for the default.' },
  inputs: { QuotaInput: quotaSchema },
  outputs: { Quota: schema },
  paths: {
    '/v1/quotas/{tenant}': {
      get: describe({
        id: 'getQuota',
        summary: 'Read the limits of a tenant',
        description: 'For admins of the tenant `default`.',
        parameters: [TENANT],
        answers: { 200: { description: 'Its own limits.', schema: 'Quota', example } },
        problems: ['notFound'],
      }),
      put: describe({
        id: 'putQuota',
        summary: 'Set the limits of a tenant',
        description: 'For admins of the tenant `default`. Other processes follow within ten seconds.',
        parameters: [TENANT],
        body: { schema: 'QuotaInput', required: true, examples: { some: limits } },
        answers: { 200: { description: 'Its own limits.', schema: 'Quota', example } },
        problems: ['notFound'],
      }),
    },
  },
};
