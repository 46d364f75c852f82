// What `npm run bench` understands.
import { parseArgs } from 'node:util';

import { type Suite, SUITES } from './system.ts';

export interface Options {
  suites: Suite[];
  rounds: number;
  counts: Record<Suite, number>;
  /** Before the first round, so that nobody is measured cold. */
  warmUps: Record<Suite, number>;
  submitters: number;
  peers: string[];
  /** How many jobs are scheduled for later to see what they hold of memory; 0: none. */
  scheduled: number;
  /** Another checkout of Perdure, built, to be measured beside this one. */
  against: string | undefined;
  report: string;
}

const SIZES = {
  tiny: { singles: 20, latency: 5, posts: 20, shared: 20, batch: 100 },
  quick: { singles: 200, latency: 40, posts: 200, shared: 1_000, batch: 10_000 },
  full: { singles: 1_000, latency: 300, posts: 1_000, shared: 3_000, batch: 10_000 },
} satisfies Record<string, Record<Suite, number>>;

const WARM_UPS = {
  tiny: { singles: 2, latency: 2, posts: 2, shared: 2, batch: 10 },
  quick: { singles: 100, latency: 10, posts: 50, shared: 200, batch: 2_000 },
  full: { singles: 400, latency: 50, posts: 200, shared: 1_000, batch: 5_000 },
} satisfies Record<string, Record<Suite, number>>;

const ROUNDS = { tiny: 1, quick: 3, full: 5 };

const PEERS = ['pg-boss', 'graphile-worker', 'dbos', 'restate', 'bullmq'];

export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean' },
      full: { type: 'boolean' },
      tiny: { type: 'boolean' },
      only: { type: 'string' },
      rounds: { type: 'string' },
      submitters: { type: 'string', default: '32' },
      peers: { type: 'boolean', default: false },
      'only-peers': { type: 'string' },
      scheduled: { type: 'string', default: '0' },
      against: { type: 'string' },
      report: { type: 'string', default: 'bench-report/latest.json' },
    },
  });
  const size = values.full ? 'full' : values.tiny ? 'tiny' : 'quick';
  const named = values['only-peers']?.split(',') ?? (values.peers ? PEERS : []);
  return {
    suites: values.only === undefined ? [...SUITES] : values.only.split(',').filter(Boolean).map(suiteOf),
    rounds: values.rounds === undefined ? ROUNDS[size] : Number(values.rounds),
    counts: SIZES[size],
    warmUps: WARM_UPS[size],
    submitters: Number(values.submitters),
    peers: named,
    scheduled: Number(values.scheduled),
    against: values.against,
    report: values.report,
  };
}

function suiteOf(name: string): Suite {
  const suite = SUITES.find((one) => one === name);
  if (!suite) throw new Error(`There is no suite "${name}". There are: ${SUITES.join(', ')}.`);
  return suite;
}
