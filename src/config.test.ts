// Configuration: defaults that work, and a wrong value that stops the start with its name.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, inject, test } from 'vitest';

import { ConfigError, parseConfig, VARIABLES } from './config.ts';

test('nothing set is a working configuration for one machine', () => {
  const config = parseConfig({});
  expect(config).toMatchObject({ host: '127.0.0.1', port: 8080, dataDir: '.perdure', egress: 'any', logLevel: 'info' });
});

test('with a database of its own the service calls public targets only', () => {
  expect(parseConfig({ DATABASE_URL: 'postgres://u:p@db/x' }).egress).toBe('public');
});

test.each([
  ['PORT', 'eighty'],
  ['PORT', '70000'],
  ['DATABASE_URL', 'mysql://x'],
  ['LOG_LEVEL', 'loud'],
  ['PERDURE_EGRESS', '10.0.0.0/99'],
  ['PERDURE_SHUTDOWN_GRACE', '30'],
  ['PERDURE_DB_POOL', '0'],
  ['PERDURE_SMTP_URL', 'http://mail'],
  ['PERDURE_WORKER_ID', 'has spaces'],
])('%s=%s is refused by its name', (name, value) => {
  expect(() => parseConfig({ [name]: value })).toThrow(new RegExp(`${name}: `));
});

test('several wrong values are all named', () => {
  expect(() => parseConfig({ PORT: 'x', LOG_LEVEL: 'y' })).toThrow(/PORT: .*LOG_LEVEL: /);
});

test('another address than loopback is refused without authentication', () => {
  expect(() => parseConfig({ HOST: '0.0.0.0' })).toThrow(ConfigError);
});

test('an empty value counts as not set', () => {
  expect(parseConfig({ PORT: '' }).port).toBe(8080);
});

test('.env.example documents every variable, and no other', () => {
  const text = readFileSync(join(inject('repoRoot'), '.env.example'), 'utf8');
  const documented = [...text.matchAll(/^#?\s?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name);
  expect(new Set(documented)).toEqual(new Set(VARIABLES));
});

describe('authentication', () => {
  const JWT = {
    PERDURE_AUTH: 'jwt',
    PERDURE_JWT_SECRET: 'x'.repeat(32),
    PERDURE_JWT_ISSUER: 'https://issuer.test/',
    PERDURE_JWT_AUDIENCE: 'perdure',
  };
  const { PERDURE_JWT_SECRET: _secret, ...WITHOUT_SECRET } = JWT;

  test('opens other addresses than loopback', () => {
    expect(parseConfig({ ...JWT, HOST: '0.0.0.0' })).toMatchObject({ host: '0.0.0.0', auth: { apiKeys: null } });
    expect(parseConfig({ PERDURE_AUTH: 'apikey', HOST: '::' }).auth).toEqual({
      jwt: null,
      apiKeys: { bootstrapKey: null },
    });
    expect(parseConfig({}).auth).toBeNull();
  });

  test('takes its secrets from files, too', () => {
    const folder = mkdtempSync(join(tmpdir(), 'perdure-config-'));
    const [secret, key] = [join(folder, 'jwt'), join(folder, 'key')];
    writeFileSync(secret, `${'s'.repeat(32)}\n`);
    writeFileSync(key, 'k'.repeat(32));
    const files = { PERDURE_JWT_SECRET_FILE: secret, PERDURE_BOOTSTRAP_KEY_FILE: key };
    expect(parseConfig({ ...WITHOUT_SECRET, ...files, PERDURE_AUTH: 'jwt,apikey' }).auth).toEqual({
      jwt: {
        keys: { secret: 's'.repeat(32) },
        issuer: 'https://issuer.test/',
        audience: 'perdure',
        maxAgeMs: 3_600_000,
      },
      apiKeys: { bootstrapKey: 'k'.repeat(32) },
    });
    rmSync(folder, { recursive: true });
    expect(() => parseConfig({ ...WITHOUT_SECRET, PERDURE_JWT_SECRET_FILE: secret })).toThrow(
      /PERDURE_JWT_SECRET_FILE: /,
    );
  });

  test.each<[string, Record<string, string>]>([
    ['PERDURE_AUTH', { PERDURE_AUTH: 'none' }],
    ['PERDURE_AUTH', { PERDURE_JWT_SECRET: 'x'.repeat(32) }],
    ['PERDURE_AUTH', { ...JWT, PERDURE_BOOTSTRAP_KEY: 'x'.repeat(32) }],
    ['PERDURE_JWT_SECRET', WITHOUT_SECRET],
    ['PERDURE_JWT_SECRET', { ...JWT, PERDURE_JWT_SECRET: 'x'.repeat(31) }],
    ['PERDURE_JWT_SECRET', { ...JWT, PERDURE_JWT_SECRET_FILE: '/nowhere' }],
    ['PERDURE_JWT_SECRET_FILE', { ...WITHOUT_SECRET, PERDURE_JWT_SECRET_FILE: '/nowhere' }],
    ['PERDURE_JWT_ISSUER', { ...JWT, PERDURE_JWT_ISSUER: '' }],
    ['PERDURE_JWT_AUDIENCE', { ...JWT, PERDURE_JWT_AUDIENCE: '' }],
    ['PERDURE_JWT_MAX_AGE', { ...JWT, PERDURE_JWT_MAX_AGE: '3600' }],
    ['PERDURE_JWT_JWKS_URL', { ...JWT, PERDURE_JWT_JWKS_URL: 'https://issuer.test/jwks.json' }],
    ['PERDURE_JWT_JWKS_URL', { ...WITHOUT_SECRET, PERDURE_JWT_JWKS_URL: 'http://issuer.test/jwks.json' }],
    ['PERDURE_JWT_JWKS_URL', { ...WITHOUT_SECRET, PERDURE_JWT_JWKS_URL: 'file:///etc/passwd' }],
    ['PERDURE_BOOTSTRAP_KEY', { PERDURE_AUTH: 'apikey', PERDURE_BOOTSTRAP_KEY: 'short' }],
    ['PERDURE_TRUST_PROXY', { PERDURE_TRUST_PROXY: 'true' }],
  ])('is refused by the name of %s where it is wrong or half: %j', (name, environment) => {
    expect(() => parseConfig(environment)).toThrow(new RegExp(`${name}: `));
    expect(() => parseConfig(environment)).toThrow(ConfigError);
    expect(() => parseConfig(environment)).not.toThrow(/xxxx|short/);
  });
});
