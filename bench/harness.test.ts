// The harness runs: every suite once, small, with the yardsticks beside it. Its figures are no part of this.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, inject, test } from 'vitest';

import type { Row } from './report.ts';

test('npm run bench -- --tiny measures all there is', { timeout: 240_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'perdure-bench-report-'));
  const report = join(folder, 'report.json');
  const script = join(inject('repoRoot'), 'scripts', 'bench.mjs');
  const child = spawn(process.execPath, [script, '--tiny', '--report', report], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(0);
  expect(output).toContain('| suite');
  const { rows } = JSON.parse(readFileSync(report, 'utf8')) as { rows: Row[] };
  rmSync(folder, { recursive: true });
  expect(rows.map(({ suite, system }) => `${suite} ${system}`).sort()).toEqual([
    'batch perdure',
    'latency floor',
    'latency perdure',
    'latency textbook',
    'posts perdure',
    'shared perdure',
    'shared perdure api + worker',
    'singles floor',
    'singles perdure',
    'singles textbook',
  ]);
  for (const row of rows) {
    expect(row.perSecond).toBeGreaterThan(0);
    expect(row.cpuTotal).toBeGreaterThan(0);
  }
});
