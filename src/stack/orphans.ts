// Finds the servers that hold a data folder, whoever started them: after kill -9 those of the last run are still there.
import * as fs from 'node:fs';
import { join } from 'node:path';

import { commandOf, isRunning, markProcess, type ProcessMark, stopProcess, type StopSteps } from './process.ts';

/** All servers that run on this data folder. */
export function findServers(dataDir: string): ProcessMark[] {
  return [findTemporal(dataDir), findPostgres(join(dataDir, 'postgres'))].filter((mark) => mark !== null);
}

/** By PostgreSQL's own pid file; the command line proves that the process is (still) the server of this very folder. */
export function findPostgres(home: string): ProcessMark | null {
  const content = readIfThere(join(home, 'data', 'postmaster.pid'));
  const pid = Number(content?.split('\n')[0]);
  if (content === null || !Number.isInteger(pid) || pid <= 1) return null;
  const command = commandOf(pid);
  const data = join(fs.realpathSync(home), 'data');
  return command?.includes('postgres') && command.includes(data) ? markProcess(pid) : null;
}

/** By the mark we write when we start it; the start time and the command line prove that it is still the same one. */
export function findTemporal(dataDir: string): ProcessMark | null {
  const mark = parseMark(readIfThere(temporalMarkFile(dataDir)));
  if (mark === null || !isRunning(mark)) return null;
  return commandOf(mark.pid)?.includes(join(dataDir, 'temporal.db')) ? mark : null;
}

export function temporalMarkFile(dataDir: string): string {
  return join(dataDir, 'temporal.pid');
}

export async function endOrphan(
  mark: ProcessMark | null,
  { what, steps, onProgress }: { what: string; steps: StopSteps; onProgress: (line: string) => void },
): Promise<void> {
  if (mark === null) return;
  onProgress(`Stopping the ${what} that an earlier run left behind (pid ${mark.pid}) …`);
  if (await stopProcess(mark, steps)) return;
  throw new Error(`The ${what} of an earlier run (pid ${mark.pid}) does not end; end it and start again.`);
}

/** Null for what a crash of the machine left half-written: then nothing of it runs either. */
export function parseMark(content: string | null): ProcessMark | null {
  try {
    const { pid, startedAt } = JSON.parse(content ?? '') as Partial<ProcessMark>;
    return typeof pid === 'number' && pid > 1 ? { pid, startedAt: startedAt ?? null } : null;
  } catch {
    return null;
  }
}

export function readIfThere(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
