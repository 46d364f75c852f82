// `perdure start|api|worker|migrate`: runs the service itself in a process of its own, as `npm start` does.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { defineCommand } from '../command.ts';
import { EXIT, UsageError } from '../exit.ts';
import type { Io } from '../io.ts';

const SUMMARIES = {
  start: 'Start Perdure here: API, workers and, if none are configured, an embedded PostgreSQL and Temporal',
  api: 'Start an API alone, on the PostgreSQL of DATABASE_URL and the Temporal of TEMPORAL_ADDRESS',
  worker: 'Start a worker alone, on the same',
  migrate: 'Bring the schema of DATABASE_URL to this version',
} as const;
type Role = keyof typeof SUMMARIES;

export const service = (Object.keys(SUMMARIES) as Role[]).map((role) =>
  defineCommand({
    name: role,
    summary: SUMMARIES[role],
    async action({ io }) {
      // All of dist/ is built into one folder, whatever file this code ends up in.
      const entry = fileURLToPath(new URL('./main.js', import.meta.url));
      if (!existsSync(entry)) throw new UsageError(`${entry} is not there. Build it first: npm run build`);
      return (await runService(entry, io, role)) === 0 ? EXIT.done : EXIT.unreachable;
    },
  }),
);

/** We must outlive the service, or a terminal gets its prompt back while it still stops. */
export async function runService(entry: string, io: Io, role: Role): Promise<number | null> {
  const child = spawn(process.execPath, [entry, role], { stdio: 'inherit' });
  // Ctrl-C in a terminal goes to the child too: passed on, it would get it twice.
  const takeOff = [
    io.onSignal('SIGINT', () => void (io.stdin.isTTY || child.kill('SIGINT'))),
    io.onSignal('SIGTERM', () => void child.kill('SIGTERM')),
    io.onSignal('SIGHUP', () => void child.kill('SIGTERM')),
  ];
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
  } finally {
    for (const off of takeOff) off();
  }
}
