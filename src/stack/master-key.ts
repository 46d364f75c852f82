// The master key of the embedded stack: made once, kept in the data folder for its owner alone.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Without it what the data folder holds encrypted is lost: it belongs into every backup, apart from the data. */
export function ensureMasterKey(dataDir: string): string {
  const path = join(dataDir, 'master.key');
  try {
    // Fails where there is one: two processes that start at once agree on the first.
    writeFileSync(path, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(path, 'utf8').trim();
}
