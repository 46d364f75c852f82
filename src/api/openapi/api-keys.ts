// /v1/api-keys and /v1/audit in the API description.
import { z } from 'zod';

import { SCOPES } from '../../contract/access.ts';
import type { keyView, newKeyView } from '../routes/api-keys.ts';
import { AUDIT_ACTIONS, type AuditView } from '../routes/audit.ts';
import { newApiKeySchema, rotateApiKeySchema } from '../schemas/api-key.ts';
import { filter, PAGE, pathId } from './components.ts';
import { type Node, operation, type OperationOptions, type Resource } from './document.ts';
import { answerSchema, id, instant, listOf } from './schemas.ts';

const TAG = 'API keys and audit';
const describe = (options: OperationOptions): Node => operation(TAG, options);

const keyMembers = {
  id,
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)).meta({ description: 'As given; each includes those before it.' }),
  tenant: z.string(),
  prefix: z.string().meta({ description: 'How the key begins.' }),
  createdAt: instant,
  expiresAt: instant.nullable(),
  lastUsedAt: instant.nullable().meta({ description: 'To the minute.' }),
};

const apiKeySchema = answerSchema<ReturnType<typeof keyView>>()(z.strictObject(keyMembers));
const newKeySchema = answerSchema<ReturnType<typeof newKeyView>>()(
  z.strictObject({ ...keyMembers, key: z.string().meta({ description: 'Shown this once.' }) }),
);

const auditSchema = answerSchema<AuditView>()(
  z.strictObject({
    id,
    at: instant,
    tenant: z.string(),
    actor: z.string().meta({ description: 'The subject of the token.' }),
    auth: z.enum(['none', 'jwt', 'apikey']),
    action: z.string(),
    target: z.strictObject({ kind: z.string(), id: z.string().nullable() }),
    requestId: z.string(),
    detail: z.record(z.string(), z.unknown()).meta({ description: 'Never a secret.' }),
  }),
);

const keyExample = {
  id: 'key_01994f3e7c1a7b529d0e3f6a1c2b4d5e',
  name: 'ci',
  scopes: ['submit'],
  tenant: 'default',
  prefix: 'perdure_Ab3dE6gH',
  createdAt: '2026-12-01T12:00:00.000Z',
  expiresAt: '2027-03-01T12:00:00.000Z',
  lastUsedAt: null,
};
const newKeyExample = { ...keyExample, key: 'perdure_Ab3dE6gH…' };

const auditExample = {
  id: 'aud_01994f3e8d2b7c639e1f4a7b2d3c5e6f',
  at: '2026-12-01T12:00:00.000Z',
  tenant: 'default',
  actor: keyExample.id,
  auth: 'apikey',
  action: 'job.cancel',
  target: { kind: 'job', id: 'job_01994f3e7c1a7b529d0e3f6a1c2b4d5e' },
  requestId: '01994f3e-7c1a-7b52-9d0e-3f6a1c2b4d5e',
  detail: { status: 200 },
};

const KEY_ID = pathId('id', keyExample.id);

export const apiKeys: Resource = {
  tag: { name: TAG, description: 'Who may ask, and who did what.' },
  inputs: { ApiKeyInput: newApiKeySchema, RotateApiKeyInput: rotateApiKeySchema },
  outputs: {
    ApiKey: apiKeySchema,
    NewApiKey: newKeySchema,
    ApiKeyList: listOf(apiKeySchema),
    AuditEntry: auditSchema,
    AuditList: listOf(auditSchema),
  },
  notes: {
    ApiKeyInput: {
      scopes: { description: '`read` < `submit` < `operate` < `admin`; each includes those before it.' },
      tenant: { description: 'Only for admins of the tenant `default`; else your own.' },
      expiresIn: { description: 'Never, by default.' },
    },
    RotateApiKeyInput: {
      expiresIn: { description: 'Of the new key; never, by default.' },
      overlap: { description: 'How long the old key stays good; not at all by default.' },
    },
  },
  paths: {
    '/v1/api-keys': {
      post: describe({
        id: 'createApiKey',
        summary: 'Make an API key',
        description:
          'The answer is the only place where the key is ever shown, so an `Idempotency-Key` changes nothing here: ' +
          'a repeated request makes another key.',
        body: {
          schema: 'ApiKeyInput',
          required: true,
          examples: { ci: { name: 'ci', scopes: ['submit'], expiresIn: '90d' } },
        },
        answers: {
          201: { description: 'The key.', schema: 'NewApiKey', example: newKeyExample, headers: ['Location'] },
        },
      }),
      get: describe({
        id: 'listApiKeys',
        summary: 'List the API keys of the tenant, newest first',
        parameters: PAGE,
        answers: {
          200: {
            description: 'A page of keys.',
            schema: 'ApiKeyList',
            example: { items: [keyExample], nextCursor: null },
          },
        },
      }),
    },
    '/v1/api-keys/{id}': {
      get: describe({
        id: 'getApiKey',
        summary: 'Read what is known of an API key',
        parameters: [KEY_ID],
        answers: { 200: { description: 'All but the key itself.', schema: 'ApiKey', example: keyExample } },
        problems: ['notFound'],
      }),
      delete: describe({
        id: 'deleteApiKey',
        summary: 'Revoke an API key',
        description: 'It is refused from the next request on, by every process.',
        parameters: [KEY_ID],
        answers: { 204: { description: 'Revoked.' } },
        problems: ['notFound'],
      }),
    },
    '/v1/api-keys/{id}/rotate': {
      post: describe({
        id: 'rotateApiKey',
        summary: 'Replace an API key by a new one of the same name, tenant and scopes',
        parameters: [KEY_ID],
        body: { schema: 'RotateApiKeyInput', required: false, examples: { overlapping: { overlap: '1h' } } },
        answers: {
          201: { description: 'The new key.', schema: 'NewApiKey', example: newKeyExample, headers: ['Location'] },
        },
        problems: ['notFound'],
      }),
    },
    '/v1/audit': {
      get: describe({
        id: 'listAudit',
        summary: 'List what was done in the tenant, newest first',
        parameters: [
          filter('actor', 'By the subject of the token.', undefined, keyExample.id),
          filter('action', 'By action.', { type: 'string', enum: AUDIT_ACTIONS }, 'job.cancel'),
          filter('target', 'By the id or name of the thing.', undefined, 'nightly'),
          ...PAGE,
        ],
        answers: {
          200: {
            description: 'A page of entries.',
            schema: 'AuditList',
            example: { items: [auditExample], nextCursor: null },
          },
        },
      }),
    },
  },
};
