// API keys: made, replaced and revoked by the admins of a tenant.
import { createList } from '../list.ts';
import type { Transport } from '../transport.ts';
import type { ApiKey, ApiKeyInput, CallOptions, NewApiKey, RotateInput } from '../types.ts';

const PATH = '/v1/api-keys';

export function createApiKeys(transport: Transport) {
  const pathOf = (id: string, action = '') => `${PATH}/${encodeURIComponent(id)}${action}`;
  return {
    /** Never repeated by itself: a key whose answer was lost is of no use to anyone. */
    create: (input: ApiKeyInput, options?: CallOptions) =>
      transport.json<NewApiKey>({ method: 'POST', path: PATH, body: input }, options),
    get: (id: string, options?: CallOptions) => transport.json<ApiKey>({ method: 'GET', path: pathOf(id) }, options),
    list: (filter?: { limit?: number }, options?: CallOptions) => createList<ApiKey>(transport, PATH, filter, options),
    rotate: (id: string, input: RotateInput = {}, options?: CallOptions) =>
      transport.json<NewApiKey>({ method: 'POST', path: pathOf(id, '/rotate'), body: input }, options),
    delete: (id: string, options?: CallOptions) =>
      transport.json<void>({ method: 'DELETE', path: pathOf(id) }, options),
  };
}
