// One Perdure per data folder: a lock file naming its owner, taken over when that owner is gone (after kill -9).
import { randomUUID } from 'node:crypto';
import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseMark, readIfThere } from './orphans.ts';
import { isRunning, markProcess } from './process.ts';

export interface DataDirLock {
  release(): void;
}

export function lockDataDir(dataDir: string): DataDirLock {
  const file = lockFile(dataDir);
  const own = `${JSON.stringify({ ...markProcess(process.pid), nonce: randomUUID() })}\n`;
  // Written aside and linked, so that nobody ever reads half a lock.
  const draft = `${file}.${process.pid}-${randomUUID()}`;
  writeFileSync(draft, own, { mode: 0o644 });
  try {
    for (let tries = 0; tries < 20; tries += 1) {
      if (tryLink(draft, file)) return { release: () => release(file, own) };
      const found = readIfThere(file);
      const owner = parseMark(found);
      if (owner !== null && isRunning(owner)) {
        throw new Error(
          `Perdure is already running on ${dataDir} (pid ${owner.pid}); stop it or set PERDURE_DATA_DIR.`,
        );
      }
      if (found !== null) removeStale(file, found);
    }
    throw new Error(`The lock ${file} keeps changing; is something else starting Perdure here?`);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** A lock file is there, and nobody holds it: the run that made it was killed. */
export function isAbandoned(dataDir: string): boolean {
  const content = readIfThere(lockFile(dataDir));
  const owner = parseMark(content);
  return content !== null && (owner === null || !isRunning(owner));
}

function lockFile(dataDir: string): string {
  return join(dataDir, 'perdure.lock');
}

/** Two starts may find the same stale lock: the slower one must not remove the lock the faster one has just made. */
function removeStale(file: string, stale: string): void {
  const aside = `${file}.stale-${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readIfThere(aside) !== stale) tryLink(aside, file);
  rmSync(aside, { force: true });
}

function release(file: string, own: string): void {
  if (readIfThere(file) === own) rmSync(file, { force: true });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
