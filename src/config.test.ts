// Configuration: defaults that work, and a wrong value that stops the start with its name.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, inject, test } from 'vitest';

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
