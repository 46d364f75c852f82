// The command line of the suite.
import { parseArgs } from 'node:util';

export interface Options {
  isShort: boolean;
  /** Empty: all. */
  only: string[];
  seed: number;
  reportFolder: string;
}

export const USAGE = `npm run chaos [-- --short] [--only F6[,F7…]] [--seed N] [--report folder]
  --short   few jobs, seconds instead of minutes, no judgement about times
  --only    only these faults
  --seed    repeats the load and the moments of a run (it is printed)
  --report  where the report goes (chaos-report)`;

export function readOptions(args: string[], known: string[]): Options | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        short: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        report: { type: 'string', default: 'chaos-report' },
      },
    });
    const only = values.only.flatMap((list) => list.split(',')).filter((id) => id !== '');
    const unknown = only.filter((id) => !known.includes(id));
    if (unknown.length > 0) return `There is no fault ${unknown.join(', ')}; there are ${known.join(', ')}.`;
    const seed = Number(values.seed);
    if (!Number.isSafeInteger(seed) || seed < 0) return '--seed is a whole number.';
    return { isShort: values.short, only, seed, reportFolder: values.report };
  } catch (error) {
    return (error as Error).message;
  }
}
