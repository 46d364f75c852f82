// The key of the embedded stack is made once, and is its owner's alone.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, test } from 'vitest';

import { ensureMasterKey } from './master-key.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'perdure-key-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

test('a key of 32 random bytes is made once and found again, readable by nobody else', () => {
  const key = ensureMasterKey(dataDir);
  expect(Buffer.from(key, 'base64')).toHaveLength(32);
  expect(ensureMasterKey(dataDir)).toBe(key);
  expect(statSync(join(dataDir, 'master.key')).mode & 0o777).toBe(0o600);
});
