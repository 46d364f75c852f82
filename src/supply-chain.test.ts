// What we depend on is exactly what was tested: exact versions, digests, and no install script but those on the list.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { describe, expect, inject, it } from 'vitest';

const root = inject('repoRoot');

interface Locked {
  version?: string;
  resolved?: string;
  integrity?: string;
  hasInstallScript?: boolean;
  link?: boolean;
}
interface Manifest {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  overrides: Record<string, string>;
  allowScripts: Record<string, boolean>;
}

const read = <T>(file: string) => JSON.parse(readFileSync(join(root, file), 'utf8')) as T;
const manifest = read<Manifest>('package.json');
const { packages } = read<{ packages: Record<string, Locked> }>('package-lock.json');
const locked = Object.entries(packages).filter(([path, { link }]) => path !== '' && !link);
const nameOf = (path: string) => path.split('node_modules/').at(-1) ?? path;

const EXACT = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

describe('package.json', () => {
  const wanted = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.overrides };

  it('names exact versions, no ranges, tags or addresses', () => {
    expect(Object.entries(wanted).filter(([, version]) => !EXACT.test(version))).toEqual([]);
  });

  it('agrees with the lockfile', () => {
    const other = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
      ([name, version]) => packages[`node_modules/${name}`]?.version !== version,
    );
    expect(other).toEqual([]);
  });

  it('lists every package with an install script, and allows none that has none', () => {
    const scripted = new Set(
      locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path)),
    );
    expect([...scripted].filter((name) => !(name in manifest.allowScripts)).sort()).toEqual([]);
    const allowed = Object.keys(manifest.allowScripts).filter((name) => manifest.allowScripts[name]);
    expect(allowed.filter((name) => !scripted.has(name))).toEqual([]);
  });
});

it('every package of the lockfile has a digest and comes from a registry', () => {
  const loose = locked.filter(
    ([, { integrity, resolved }]) => !/^sha512-/.test(integrity ?? '') || !/^https:\/\//.test(resolved ?? 'https://'),
  );
  expect(loose.map(([path]) => path)).toEqual([]);
});

it('the threat model names tests that exist', () => {
  const named = readFileSync(join(root, 'SECURITY.md'), 'utf8').match(/(?<=`)src\/[^`]+\.test\.ts(?=`)/g) ?? [];
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

describe('npm run audit', () => {
  const some = { total: 12 };
  const counts = { info: 0, low: 1, moderate: 0, high: 0, critical: 0, total: 1 };

  it('passes only with an answer that holds nothing serious', () => {
    expect(audit({ vulnerabilities: {}, metadata: { vulnerabilities: counts, dependencies: some } }).status).toBe(0);
  });

  it('fails and names what is serious', () => {
    const bad = { name: 'left-pad', severity: 'high', range: '<2', via: [{ url: 'https://advisory.example/1' }] };
    const report = { vulnerabilities: { bad }, metadata: { vulnerabilities: counts, dependencies: some } };
    const { status, stderr } = audit(report);
    expect([status, stderr]).toEqual([1, expect.stringContaining('left-pad')]);
  });

  it('does not pass silently when the registry could not be asked', () => {
    for (const answer of [{ message: '405 Method Not Allowed' }, 'no JSON', '']) {
      const { status, stderr } = audit(answer);
      expect([status, stderr]).toEqual([2, expect.stringContaining('NOT AUDITED')]);
    }
  });

  /** With an npm that answers so. */
  function audit(answer: unknown): { status: number | null; stderr: string } {
    const folder = mkdtempSync(join(tmpdir(), 'perdure-audit-'));
    try {
      const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
      writeFileSync(join(folder, 'npm'), `#!/bin/sh\ncat <<'END'\n${text}\nEND\nexit 1\n`, { mode: 0o755 });
      const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
      return spawnSync(process.execPath, [join(root, 'scripts', 'audit.mjs')], { encoding: 'utf8', env });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
});
