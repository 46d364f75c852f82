// The import directions of the design, read from the imports themselves.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

const SRC = dirname(fileURLToPath(import.meta.url));

/** Folder → folders it may import at run time; a file directly in src/ is an entry and may import anything. */
const ALLOWED: Record<string, string[]> = {
  contract: [],
  calendar: ['contract'],
  language: ['contract'],
  telemetry: [],
  db: ['contract'],
  jobs: ['contract', 'calendar', 'language', 'db', 'telemetry'],
  api: ['contract', 'calendar', 'language', 'db', 'jobs', 'telemetry'],
  activities: ['contract', 'calendar', 'language', 'db', 'jobs', 'telemetry'],
  workers: ['contract', 'calendar', 'language', 'db', 'jobs', 'activities', 'telemetry'],
  workflows: ['contract', 'calendar', 'language'],
  stack: [],
  client: ['contract'],
  cli: ['contract', 'client'],
};
/** Files of src/ itself that every layer may read. */
const SHARED_FILES = ['version.ts', 'clock.ts', 'failpoint.ts', 'config.ts', 'services.ts'];
/** `config.ts` and `services.ts` are for the processes: nobody below may know how things are put together. */
const WIRING = ['workers', 'testing'];
const WIRED_FILES = ['config.ts', 'services.ts'];

describe('import directions', () => {
  for (const folder of Object.keys(ALLOWED)) {
    test(`${folder} imports only ${ALLOWED[folder]?.join(', ') || 'nothing of ours'}`, () => {
      const violations = sourceFiles(join(SRC, folder)).flatMap((file) =>
        violationsOf(file, readFileSync(file, 'utf8')),
      );
      expect(violations).toEqual([]);
    });
  }

  test('a forbidden import is noticed', () => {
    const file = join(SRC, 'workflows', 'made-up.ts');
    expect(violationsOf(file, `import { insertJob } from '../db/jobs.ts';`)).toHaveLength(1);
    expect(violationsOf(file, `import type { Activities } from '../activities/index.ts';`)).toEqual([]);
    expect(violationsOf(file, `import { createHash } from 'node:crypto';`)).toHaveLength(1);
    const contract = join(SRC, 'contract', 'made-up.ts');
    expect(violationsOf(contract, `import { z } from 'zod';\nexport * from '../jobs/ids.ts';`)).toHaveLength(2);
  });
});

function violationsOf(file: string, text: string): string[] {
  const folder = relative(SRC, file).split(sep)[0] ?? '';
  return runtimeImports(text)
    .filter((specifier) => !mayImport(folder, file, specifier))
    .map((specifier) => `LAYER VIOLATION: ${relative(SRC, file)} imports ${specifier}`);
}

function mayImport(folder: string, file: string, specifier: string): boolean {
  if (!specifier.startsWith('.')) {
    // The sandbox of workflows knows no Node, and the contract is bundled with them.
    if (folder === 'contract') return false;
    if (['workflows', 'calendar', 'language'].includes(folder)) return !isNode(specifier);
    return true;
  }
  const target = relative(SRC, join(dirname(file), specifier));
  const [top = ''] = target.split(sep);
  if (top === folder || (ALLOWED[folder] ?? []).includes(top)) return true;
  if (top === '..') return target.endsWith('package.json');
  return SHARED_FILES.includes(top) && (!WIRED_FILES.includes(top) || WIRING.includes(folder));
}

function isNode(specifier: string): boolean {
  return specifier.startsWith('node:');
}

/** Types vanish at run time: an import of nothing else is no dependency. */
function runtimeImports(text: string): string[] {
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm);
  const dynamic = text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g);
  return [
    ...[...statements].filter(([, type]) => !type).map(([, , specifier = '']) => specifier),
    ...[...dynamic].map(([, specifier = '']) => specifier),
  ];
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.includes('test-helper'))
    .map((name) => join(folder, name));
}
