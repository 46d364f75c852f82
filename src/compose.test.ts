// docker-compose.yml says what the rest of the project says: variables, files, settings, and nothing secret.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, inject, test } from 'vitest';
import { parse } from 'yaml';

import { VARIABLES } from './config.ts';
import { DYNAMIC_CONFIG } from './stack/temporal.ts';

const root = inject('repoRoot');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Service {
  image: string;
  restart?: string;
  environment?: Record<string, string>;
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: object;
  deploy?: { resources: { limits: { memory: string } } };
}

const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, null>;
};
const services = Object.entries(compose.services);
const ours = services.filter(([, { image }]) => image.startsWith('perdure:'));

test.each(services)('%s: a pinned image, and no end to its memory only where it ends by itself', (_name, service) => {
  expect(service.image).toMatch(/:v?\d+\.\d+/);
  if (service.restart === 'unless-stopped') expect(service.deploy?.resources.limits.memory).toMatch(/^\d+[mg]$/);
});

test.each(services)('%s: what it mounts and waits for is there', (_name, { volumes = [], depends_on: after = {} }) => {
  for (const volume of volumes) {
    const [from = ''] = volume.split(':');
    if (from.startsWith('.')) expect(existsSync(join(root, from)), from).toBe(true);
    else expect(Object.keys(compose.volumes)).toContain(from);
  }
  for (const [name, { condition }] of Object.entries(after)) {
    const other = compose.services[name];
    expect(other, name).toBeDefined();
    if (condition === 'service_healthy') expect(other?.healthcheck, `${name} has a health check`).toBeDefined();
  }
});

test.each(ours)('%s: only variables that Perdure knows', (_name, { environment = {} }) => {
  expect(VARIABLES).toEqual(expect.arrayContaining(Object.keys(environment)));
});

test('no password stands in the file', () => {
  const named = services.flatMap(([, { environment = {} }]) => Object.keys(environment));
  expect(
    named.filter((name) => /PASSWORD|SECRET|KEY|TOKEN|DATABASE_URL/.test(name) && !name.endsWith('_FILE')),
  ).toEqual([]);
  expect(read('docker-compose.yml')).not.toMatch(/:\/\/[^/\s]+:[^/\s]+@/);
});

test('the Temporal server is set as the embedded one', () => {
  const settings = parse(read('deploy/compose/temporal-dynamic-config.yaml')) as Record<string, [{ value: unknown }]>;
  const lines = Object.entries(settings).map(([name, [{ value }]]) => `${name}=${String(value)}`);
  expect(lines.sort()).toEqual([...DYNAMIC_CONFIG].sort());
});
