// The first key: made by whoever has the database, without a token, with the built product as it is installed.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { type AccessApi, bearer, startAccessApi } from './testing/access.ts';
import { createApi } from './testing/api.ts';

const run = promisify(execFile);

let access: AccessApi;
beforeAll(async () => {
  access = await startAccessApi({ PERDURE_AUTH: 'apikey' });
});
afterAll(() => access.stop());

async function perdure(args: string[], environment: Record<string, string>) {
  const cli = join(inject('repoRoot'), 'dist', 'cli.js');
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nowhere', XDG_CONFIG_HOME: '/nowhere', ...environment };
  return run(process.execPath, [cli, ...args], { env }).then(
    ({ stdout, stderr }) => ({ exitCode: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({ ...error, exitCode: error.code }),
  );
}

test('perdure api-key makes the first key in the database, and the next ones with it over REST', async () => {
  const offline = { DATABASE_URL: access.databaseUrl };
  const first = await perdure(['api-key', 'create', '--name', 'first', '--scopes', 'admin', '--json'], offline);
  expect(first.stderr).toBe('');
  const admin = JSON.parse(first.stdout) as { id: string; key: string };
  const api = createApi(access.url);
  const who = await api.get('/v1/whoami', bearer(admin.key));
  expect(who.body).toMatchObject({ subject: admin.id, tenant: 'default', auth: 'apikey' });
  const { items } = (await api.get(`/v1/audit?target=${admin.id}`, bearer(admin.key))).body;
  expect(items).toMatchObject([{ action: 'apiKey.create', actor: expect.stringMatching(/^cli:/), auth: 'none' }]);

  const online = { PERDURE_URL: access.url, PERDURE_TOKEN: admin.key, ...offline };
  const args = ['--name', 'ci', '--scopes', 'submit', '--tenant', 'acme', '--expires-in', '90d'];
  const second = await perdure(['api-key', 'create', ...args], online);
  expect(second.stdout).toMatch(/tenant +acme/);
  expect(second.stderr).toContain('not shown again');
  const [, key = ''] = /key +(perdure_\w+)/.exec(second.stdout) ?? [];
  expect((await api.get('/v1/whoami', bearer(key))).body).toMatchObject({ tenant: 'acme', scopes: ['read', 'submit'] });

  const theirs = await perdure(['api-key', 'list', '--tenant', 'acme', '--json'], offline);
  const [{ id }] = JSON.parse(theirs.stdout) as [{ id: string }];
  expect((await perdure(['api-key', 'list'], online)).stdout).toContain(admin.id);
  expect((await perdure(['api-key', 'delete', id, '--tenant', 'acme'], offline)).exitCode).toBe(0);
  expect((await api.get('/v1/whoami', bearer(key))).status).toBe(401);
  expect((await perdure(['api-key', 'delete', admin.id], online)).exitCode).toBe(0);
  expect((await api.get('/v1/whoami', bearer(admin.key))).status).toBe(401);
}, 120_000);

test.each<[string, string[], RegExp]>([
  ['a scope that is none', ['create', '--name', 'a', '--scopes', 'root'], /\/scopes\/0: Must be one of/],
  ['a tenant that is no name', ['create', '--name', 'a', '--scopes', 'read', '--tenant', 'a/b'], /\/tenant: /],
  ['a key that is not there', ['delete', 'key_nothing'], /There is no API key key_nothing/],
  ['no name', ['create', '--scopes', 'read'], /--name and --scopes are needed/],
])('%s is told as wrong usage', async (_name, args, message) => {
  const { exitCode, stderr } = await perdure(['api-key', ...args], { DATABASE_URL: access.databaseUrl });
  expect([exitCode, message.test(stderr), stderr]).toEqual([2, true, stderr]);
});
