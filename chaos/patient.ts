// The faults that may wait for the processor, in a run of their own at the lowest priority, with all that belongs to it:
// stores, clients and the product. The others are judged by times, and have the processor whenever they want it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Fault } from './fault.ts';
import type { Options } from './options.ts';
import type { Report } from './report.ts';

const LOWEST = ['nice', '-n', '19'];

export interface PatientRun {
  /** Puts what came of it into that report. */
  endInto(report: Report): Promise<void>;
  stop(): void;
}

export function playPatiently(faults: Fault[], options: Options): PatientRun {
  const { isShort, seed, jobs, points, reportFolder } = options;
  const folder = join(reportFolder, 'patient');
  const args = [
    ...['--only', faults.map(({ id }) => id).join(), '--seed', String(seed), '--report', folder],
    ...(isShort ? ['--short'] : []),
    ...(jobs === null ? [] : ['--jobs', String(jobs)]),
    ...points.flatMap((point) => ['--points', point]),
  ];
  // Not `argv[1]`, which is the file that this program was made of.
  const [nice = '', ...command] = [...LOWEST, process.execPath, fileURLToPath(import.meta.url), ...args];
  const startedAt = new Date().toISOString();
  const child = spawn(nice, command, { stdio: 'inherit' });
  const ended = once(child, 'exit');
  ended.catch(() => {});
  return {
    async endInto(report) {
      try {
        await ended;
        const own = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report;
        if (own.startedAt < startedAt) throw new Error('it has written no report');
        for (const part of ['results', 'notRun', 'broken'] as const) report[part].push(...(own[part] as never[]));
      } catch (error) {
        for (const { id, title } of faults) report.broken.push({ id, title, why: String(error) });
      }
    },
    stop: () => void child.kill('SIGTERM'),
  };
}
