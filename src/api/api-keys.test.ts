// API keys: told once, kept as a hash, good for one tenant, and dead as soon as they are deleted.
import { createHash } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type AccessApi, AUTH_ENVIRONMENT, bearer, signToken, startAccessApi } from '../testing/access.ts';
import { createApi, eventually } from '../testing/api.ts';
import { expectProblem } from '../testing/problem.ts';

const BOOTSTRAP = 'bootstrap-key-of-the-tests-0123456789';

let access: AccessApi;
let api: ReturnType<typeof createApi>;
let admin: { authorization: string };
beforeAll(async () => {
  access = await startAccessApi({ ...AUTH_ENVIRONMENT, PERDURE_BOOTSTRAP_KEY: BOOTSTRAP });
  api = createApi(access.url);
  admin = bearer(await signToken());
});
afterAll(() => access.stop());

const statusWith = async (key: string, at = api) => (await at.get('/v1/whoami', bearer(key))).status;

describe('a new key', () => {
  test('is told once, says who it is, and is kept as its SHA-256 alone', async () => {
    const input = { name: 'ci', scopes: ['submit'], expiresIn: '30d' };
    const made = await api.post('/v1/api-keys', input, admin);
    expect([made.status, made.headers.get('location')]).toEqual([201, `/v1/api-keys/${made.body.id}`]);
    const { key, ...shown } = made.body;
    expect(key).toMatch(/^perdure_[0-9A-Za-z]{51}$/);
    expect(shown).toEqual({
      id: expect.stringMatching(/^key_[0-9a-f]{32}$/),
      name: 'ci',
      scopes: ['submit'],
      tenant: 'default',
      prefix: key.slice(0, 16),
      createdAt: expect.any(String),
      expiresAt: expect.any(String),
      lastUsedAt: null,
    });
    expect(Date.parse(shown.expiresAt) - Date.parse(shown.createdAt)).toBeCloseTo(30 * 86_400_000, -4);

    const who = await api.get('/v1/whoami', bearer(key));
    expect(who.body).toEqual({ subject: shown.id, tenant: 'default', scopes: ['read', 'submit'], auth: 'apikey' });
    const rows = await access.db.query<{ hash: Buffer }>('select * from api_keys where id = $1', [shown.id]);
    expect(rows[0]?.hash).toEqual(createHash('sha256').update(key).digest());
    const everywhere = JSON.stringify([
      rows,
      (await api.get('/v1/api-keys', admin)).body,
      (await api.get('/v1/audit', admin)).body,
    ]);
    expect(everywhere).not.toContain(key.slice(16));

    const used = await eventually(async () => {
      const { body } = await api.get(`/v1/api-keys/${shown.id}`, admin);
      return body.lastUsedAt && body;
    });
    expect(used).toEqual({ ...shown, lastUsedAt: used.lastUsedAt });
  });

  test.each([
    [{}, ['/name', '/scopes']],
    [{ name: '', scopes: ['read'] }, ['/name']],
    [{ name: 'a', scopes: [] }, ['/scopes']],
    [{ name: 'a', scopes: ['root'] }, ['/scopes/0']],
    [{ name: 'a', scopes: ['read'], tenant: 'a/b' }, ['/tenant']],
    [{ name: 'a', scopes: ['read'], expiresIn: '0s' }, ['/expiresIn']],
    [{ name: 'a', scopes: ['read'], expiresIn: 60 }, ['/expiresIn']],
    [{ name: 'a', scopes: ['read'], key: 'perdure_x' }, ['/key']],
  ])('is refused where it is wrong: %j', async (input, pointers) => {
    const answer = await api.post('/v1/api-keys', input, admin);
    expect(answer.status).toBe(422);
    expectProblem(answer);
    expect(answer.body.errors.map((one: { pointer: string }) => one.pointer)).toEqual(pointers);
  });

  test('is for another tenant only when an admin of the default one makes it', async () => {
    const made = await api.post('/v1/api-keys', { name: 'first', scopes: ['admin'], tenant: 'acme' }, admin);
    expect(made.body).toMatchObject({ tenant: 'acme' });
    const acme = bearer(made.body.key);
    expect((await api.get('/v1/api-keys', acme)).body.items.map(({ id }: { id: string }) => id)).toEqual([
      made.body.id,
    ]);
    const own = await api.post('/v1/api-keys', { name: 'own', scopes: ['read'] }, acme);
    expect(own.body).toMatchObject({ tenant: 'acme' });
    const foreign = await api.post('/v1/api-keys', { name: 'x', scopes: ['read'], tenant: 'default' }, acme);
    expect([foreign.status, foreign.body.errors[0].pointer]).toEqual([422, '/tenant']);
    for (const call of [
      api.get(`/v1/api-keys/${own.body.id}`, admin),
      api.delete(`/v1/api-keys/${own.body.id}`, admin),
      api.post(`/v1/api-keys/${own.body.id}/rotate`, {}, admin),
    ]) {
      expect((await call).status).toBe(404);
    }
  });
});

describe('a key that is no longer good', () => {
  test('is refused by every process from the next request on when it was deleted', async () => {
    const other = createApi((await access.again()).url);
    const { key, id } = (await api.post('/v1/api-keys', { name: 'short-lived', scopes: ['read'] }, admin)).body;
    expect([await statusWith(key), await statusWith(key, other)]).toEqual([200, 200]);
    expect((await api.delete(`/v1/api-keys/${id}`, admin)).status).toBe(204);
    expect([await statusWith(key), await statusWith(key, other)]).toEqual([401, 401]);
    expect((await api.delete(`/v1/api-keys/${id}`, admin)).status).toBe(404);
  });

  test('is refused when its time is over', async () => {
    const { key } = (await api.post('/v1/api-keys', { name: 'brief', scopes: ['read'], expiresIn: '300ms' }, admin))
      .body;
    await eventually(async () => (await statusWith(key)) === 401, { timeoutMs: 5_000 });
  });

  test('has a successor: at once, or with both good for a while', async () => {
    const first = (await api.post('/v1/api-keys', { name: 'rotated', scopes: ['operate'] }, admin)).body;
    const second = (await api.post(`/v1/api-keys/${first.id}/rotate`, { overlap: '1h' }, admin)).body;
    expect(second).toMatchObject({ name: 'rotated', scopes: ['operate'], expiresAt: null });
    expect([await statusWith(first.key), await statusWith(second.key)]).toEqual([200, 200]);
    const third = await api.post(`/v1/api-keys/${second.id}/rotate`, undefined, admin);
    expect([third.status, await statusWith(second.key), await statusWith(third.body.key)]).toEqual([201, 401, 200]);
  });
});

describe('the bootstrap key', () => {
  test('is an admin of the default tenant without being in the database, and makes the first key', async () => {
    const who = await api.get('/v1/whoami', bearer(BOOTSTRAP));
    expect(who.body).toMatchObject({ subject: 'bootstrap', tenant: 'default', auth: 'apikey' });
    expect(who.body.scopes).toContain('admin');
    const made = await api.post('/v1/api-keys', { name: 'first', scopes: ['admin'] }, bearer(BOOTSTRAP));
    expect(await statusWith(made.body.key)).toBe(200);
    expect(await statusWith(BOOTSTRAP.slice(0, -1))).toBe(401);
  });
});
