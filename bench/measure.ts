// Runs every suite on every system that has it, round by round and one system after the other: noise falls on all alike.
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Options } from './options.ts';
import type { Suite, System } from './system.ts';
import { type Usage, watchUsage } from './usage.ts';

export interface Measurement {
  suite: Suite;
  system: string;
  count: number;
  ms: number;
  timesMs: number[];
  usage: Record<string, Usage>;
  load: number;
}

/** Between two measurements, for what is still being written. */
const PAUSE_MS = 500;

export async function measureAll(systems: System[], options: Options): Promise<Measurement[]> {
  const measured: Measurement[] = [];
  for (const suite of options.suites) {
    const taking = systems.filter(({ suites }) => suites.includes(suite));
    const order = (count: number) => ({ suite, count, submitters: options.submitters });
    for (const system of taking) await system.run(order(options.warmUps[suite]));
    for (let round = 0; round < options.rounds; round++) {
      for (let turn = 0; turn < taking.length; turn++) {
        const system = taking[(turn + round) % taking.length];
        if (!system) continue;
        await sleep(PAUSE_MS);
        measured.push(await measure(system, suite, options));
      }
    }
  }
  return measured;
}

async function measure(system: System, suite: Suite, { counts, submitters }: Options): Promise<Measurement> {
  const count = counts[suite];
  const stop = watchUsage(system.groups);
  const { ms, timesMs = [] } = await system.run({ suite, count, submitters });
  const [load = 0] = loadavg();
  const measurement = { suite, system: system.name, count, ms, timesMs, usage: stop(), load };
  console.error(`${suite} ${system.name}: ${Math.round((count / ms) * 1_000)}/s (load ${load.toFixed(1)})`);
  return measurement;
}
