// API keys over the SDK: what is sent, and that a creation whose answer was lost is not repeated by itself.
import { expect, test } from 'vitest';

import { Perdure } from './index.ts';
import { startFakeService } from './testing/fake-service.ts';

test('keys are made, listed, rotated and deleted', async () => {
  await using service = await startFakeService(({ method }) => {
    if (method === 'DELETE') return { status: 204 };
    return {
      body: method === 'GET' ? { items: [{ id: 'key_1' }], nextCursor: null } : { id: 'key_1', key: 'perdure_x' },
    };
  });
  const { apiKeys } = new Perdure({ baseUrl: service.url, token: 'perdure_admin' });
  expect((await apiKeys.create({ name: 'ci', scopes: ['submit'], expiresIn: '90d' })).key).toBe('perdure_x');
  for await (const key of apiKeys.list()) expect(key.id).toBe('key_1');
  await apiKeys.rotate('key_1', { overlap: '1h' });
  await apiKeys.delete('key_1');
  expect(service.seen.map(({ method, path, body }) => [method, path, body])).toEqual([
    ['POST', '/v1/api-keys', '{"name":"ci","scopes":["submit"],"expiresIn":"90d"}'],
    ['GET', '/v1/api-keys', ''],
    ['POST', '/v1/api-keys/key_1/rotate', '{"overlap":"1h"}'],
    ['DELETE', '/v1/api-keys/key_1', ''],
  ]);
});

test('a creation is sent once, also when nobody knows what became of it', async () => {
  await using service = await startFakeService(() => 'hangUp');
  const { apiKeys } = new Perdure({ baseUrl: service.url, retries: 3 });
  await expect(apiKeys.create({ name: 'ci', scopes: ['read'] })).rejects.toMatchObject({ status: 0 });
  await expect(apiKeys.rotate('key_1')).rejects.toMatchObject({ status: 0 });
  expect(service.seen).toHaveLength(2);
});
