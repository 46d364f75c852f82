// Proves that one Perdure at a time holds a data folder, and that a dead one holds nothing.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { isAbandoned, lockDataDir } from './lock.ts';
import { markProcess } from './process.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'perdure-lock-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

test('a second start on the same data folder is refused in one line that names the first', () => {
  const lock = lockDataDir(dataDir);
  expect(() => lockDataDir(dataDir)).toThrow(
    new RegExp(`^Perdure is already running on ${dataDir} \\(pid ${process.pid}\\).*$`),
  );
  lock.release();
  lockDataDir(dataDir).release();
  expect(readdirSync(dataDir)).toEqual([]);
});

test('a lock whose process id was given to another process is taken over', () => {
  const reused = { ...markProcess(process.pid), startedAt: 'an earlier boot/1' };
  writeFileSync(join(dataDir, 'perdure.lock'), JSON.stringify(reused));
  expect(isAbandoned(dataDir)).toBe(true);
  const lock = lockDataDir(dataDir);
  expect(isAbandoned(dataDir)).toBe(false);
  expect(JSON.parse(readFileSync(join(dataDir, 'perdure.lock'), 'utf8'))).toMatchObject({
    ...markProcess(process.pid),
  });
  lock.release();
});

test('a damaged lock is taken over', () => {
  writeFileSync(join(dataDir, 'perdure.lock'), '{"pid":');
  lockDataDir(dataDir).release();
});

test('releasing does not remove a lock that is held by another by now', () => {
  const lock = lockDataDir(dataDir);
  const other = JSON.stringify({ ...markProcess(process.pid), nonce: 'other' });
  writeFileSync(join(dataDir, 'perdure.lock'), other);
  lock.release();
  expect(readFileSync(join(dataDir, 'perdure.lock'), 'utf8')).toBe(other);
});
