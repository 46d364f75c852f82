// The command line of the suite.
import { parseArgs } from 'node:util';

export interface Options {
  isShort: boolean;
  /** Empty: all. */
  only: string[];
  seed: number;
  reportFolder: string;
  /** Instead of each fault's own number; null: that one. */
  jobs: number | null;
  /** All at the same moment on the same stores, instead of one after the other. */
  together: boolean;
  /** Of crash points only those whose name has one of these in it; empty: all. */
  points: string[];
}

export const USAGE = `npm run chaos [-- --short] [--only F6[,F7…]] [--seed N] [--report folder] [--jobs N]
                 [--together] [--points name[,name…]]
  --short     few jobs, seconds instead of minutes, no judgement about times
  --only      only these faults
  --seed      repeats the load and the moments of a run (it is printed)
  --report    where the report goes (chaos-report)
  --jobs      so many jobs for each fault instead of its own number
  --together  at the same moment instead of one after the other; not for those that take a store away
  --points    of crash points only these: accept. or worker:attempt.sent@once:stop, or any part of it`;

export function readOptions(args: string[], known: string[]): Options | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        short: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        report: { type: 'string', default: 'chaos-report' },
        jobs: { type: 'string' },
        together: { type: 'boolean', default: false },
        points: { type: 'string', multiple: true, default: [] },
      },
    });
    const only = listed(values.only);
    const unknown = only.filter((id) => !known.includes(id));
    if (unknown.length > 0) return `There is no fault ${unknown.join(', ')}; there are ${known.join(', ')}.`;
    const seed = Number(values.seed);
    if (!Number.isSafeInteger(seed) || seed < 0) return '--seed is a whole number.';
    const jobs = values.jobs === undefined ? null : Number(values.jobs);
    if (jobs !== null && !(Number.isSafeInteger(jobs) && jobs > 0)) return '--jobs is a whole number above 0.';
    const { short: isShort, report: reportFolder, together } = values;
    return { isShort, only, seed, reportFolder, jobs, together, points: listed(values.points) };
  } catch (error) {
    return (error as Error).message;
  }
}

function listed(values: string[]): string[] {
  return values.flatMap((list) => list.split(',')).filter((item) => item !== '');
}
