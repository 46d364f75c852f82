// What is open to everyone, in the API description.
import { z } from 'zod';

import { type Node, operation, type OperationOptions, type Resource } from './document.ts';

const TAG = 'Probes';
const describe = (options: OperationOptions): Node => operation(TAG, { ...options, open: true });

const store = z.enum(['up', 'down']);
const healthSchema = z.strictObject({ status: z.literal('ok'), version: z.string() });
const readinessSchema = z.strictObject({
  status: z.enum(['ready', 'draining', 'unavailable']),
  postgres: store,
  temporal: store.meta({ description: 'Jobs are accepted without it, and started when it is back.' }),
  version: z.string(),
});

const ready = { status: 'ready', postgres: 'up', temporal: 'up', version: '1.0.0' };

export const probes: Resource = {
  tag: { name: TAG, description: 'Is it up, is it ready, what does it count, how is it called. No token needed.' },
  outputs: { Health: healthSchema, Readiness: readinessSchema },
  paths: {
    '/healthz': {
      get: describe({
        id: 'health',
        summary: 'Is the process up',
        answers: { 200: { description: 'It is.', schema: 'Health', example: { status: 'ok', version: '1.0.0' } } },
      }),
    },
    '/readyz': {
      get: describe({
        id: 'readiness',
        summary: 'Can it take jobs',
        answers: {
          200: { description: 'PostgreSQL is there.', schema: 'Readiness', example: ready },
          503: {
            description: 'PostgreSQL is away, or the process is about to end.',
            schema: 'Readiness',
            example: { ...ready, status: 'unavailable', postgres: 'down' },
            headers: ['RetryAfter'],
          },
        },
      }),
    },
    '/metrics': {
      get: describe({
        id: 'metrics',
        summary: 'Metrics for Prometheus',
        answers: { 200: { description: 'The text exposition format.', mediaType: 'text/plain' } },
      }),
    },
    '/openapi.json': {
      get: describe({
        id: 'openapi',
        summary: 'This description',
        answers: { 200: { description: 'An OpenAPI 3.1 document.', schema: 'OpenApiDocument' } },
      }),
    },
    '/docs': {
      get: describe({
        id: 'docs',
        summary: 'This description, to read and to try',
        answers: { 200: { description: 'A page.', mediaType: 'text/html' } },
      }),
    },
  },
};
