// Proves the order in which a Temporal CLI is found, and that an unknown binary is never run.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { findTemporalBinary } from './temporal-binary.ts';
import { TEMPORAL_CLI_VERSION, verified } from './temporal-download.ts';

let cacheDir: string;
beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), 'perdure-cache-'));
});
afterEach(() => rmSync(cacheDir, { recursive: true }));

const onProgress = () => {};

function writeCli(path: string, version: string): string {
  writeFileSync(path, `#!/bin/sh\necho 'temporal version ${version} (Server 1.32.0, UI 2.54.1)'\n`);
  chmodSync(path, 0o755);
  return path;
}

test('a given path is used', async () => {
  const explicitPath = writeCli(join(cacheDir, 'mine'), '1.7.0');
  expect(await findTemporalBinary({ explicitPath, cacheDir, onProgress })).toBe(explicitPath);
});

test('a given path that is not a Temporal CLI is refused by the name of its variable, not replaced', async () => {
  const explicitPath = join(cacheDir, 'nothing');
  const refusal = findTemporalBinary({ explicitPath, cacheDir, onProgress });
  await expect(refusal).rejects.toThrow(/^PERDURE_TEMPORAL_CLI: .*nothing is not a Temporal CLI.*$/);
});

test('a CLI on PATH is used if it is recent, and the cache if it is not', async () => {
  const bin = mkdtempSync(join(cacheDir, 'bin-'));
  const cached = join(cacheDir, `temporal-${TEMPORAL_CLI_VERSION}`, 'temporal');
  mkdirSync(join(cached, '..'));
  writeCli(cached, TEMPORAL_CLI_VERSION);
  const path = process.env.PATH;
  process.env.PATH = `${bin}:${path}`;
  try {
    writeCli(join(bin, 'temporal'), '1.9.0');
    expect(await findTemporalBinary({ cacheDir, onProgress })).toBe('temporal');
    writeCli(join(bin, 'temporal'), '1.4.1');
    expect(await findTemporalBinary({ cacheDir, onProgress })).toBe(cached);
  } finally {
    process.env.PATH = path;
  }
});

test('a download with another checksum than the pinned one is refused', async () => {
  const file = writeCli(join(cacheDir, 'download'), TEMPORAL_CLI_VERSION);
  await expect(verified(file, '0'.repeat(64))).rejects.toThrow('checksum');
});
