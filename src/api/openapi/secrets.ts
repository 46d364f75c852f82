// /v1/secrets and /v1/codec in the API description.
import { z } from 'zod';

import { payloadsSchema } from '../routes/codec.ts';
import type { secretView } from '../routes/secrets.ts';
import { SECRET_NAME, secretSchema } from '../schemas/secret.ts';
import { PAGE } from './components.ts';
import { type Node, operation, type Resource } from './document.ts';
import { answerSchema, instant, listOf } from './schemas.ts';

const TAG = 'Secrets';
const CODEC_TAG = 'Codec';

const shownSchema = answerSchema<ReturnType<typeof secretView>>()(
  z.strictObject({ name: z.string(), version: z.int(), createdAt: instant, updatedAt: instant }),
);

const example = {
  ...{ name: 'payments', version: 1 },
  ...{ createdAt: '2026-12-01T12:00:00.000Z', updatedAt: '2026-12-01T12:00:00.000Z' },
};

const NAME: Node = {
  name: 'name',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: SECRET_NAME.source },
  example: 'payments',
};

export const secrets: Resource = {
  tag: { name: TAG, description: 'Values that headers name instead of holding them. They go in and never come out.' },
  inputs: { SecretInput: secretSchema },
  outputs: { Secret: shownSchema, SecretList: listOf(shownSchema) },
  paths: {
    '/v1/secrets': {
      get: operation(TAG, {
        id: 'listSecrets',
        summary: 'List secrets, without their values',
        parameters: PAGE,
        answers: {
          200: { description: 'A page.', schema: 'SecretList', example: { items: [example], nextCursor: null } },
        },
      }),
    },
    '/v1/secrets/{name}': {
      put: operation(TAG, {
        id: 'putSecret',
        summary: 'Keep a value, or replace it',
        description: 'Calls use the new value within three seconds.',
        parameters: [NAME],
        body: { schema: 'SecretInput', required: true, examples: { token: { value: 'sk_live_…' } } },
        answers: {
          201: { description: 'Kept.', schema: 'Secret', example, headers: ['Location'] },
          200: { description: 'Replaced.', schema: 'Secret' },
        },
        problems: ['masterKeyMissing'],
      }),
      get: operation(TAG, {
        id: 'getSecret',
        summary: 'Read about a secret, without its value',
        parameters: [NAME],
        answers: { 200: { description: 'The secret.', schema: 'Secret', example } },
        problems: ['notFound'],
      }),
      delete: operation(TAG, {
        id: 'deleteSecret',
        summary: 'Delete a secret',
        description: 'Jobs that still name it fail with `secretNotFound`.',
        parameters: [NAME],
        answers: { 204: { description: 'Deleted.' } },
        problems: ['notFound'],
      }),
    },
  },
};

const payloads = { payloads: [{ metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'eyJhIjoxfQ==' }] };

export const codec: Resource = {
  tag: { name: CODEC_TAG, description: 'Makes what Temporal keeps encrypted readable for its Web UI.' },
  inputs: { PayloadsInput: payloadsSchema },
  outputs: {
    Payloads: z.strictObject({
      payloads: z.array(z.strictObject({ metadata: z.record(z.string(), z.string()), data: z.string() })),
    }),
  },
  paths: {
    '/v1/codec/decode': {
      post: operation(CODEC_TAG, {
        id: 'decodePayloads',
        summary: 'Decode payloads of Temporal histories',
        description: 'What is not encrypted, cannot be read, or belongs to another tenant comes back as it is.',
        body: { schema: 'PayloadsInput', required: true, examples: { one: payloads } },
        answers: { 200: { description: 'In the same order.', schema: 'Payloads', example: payloads } },
      }),
    },
  },
};
