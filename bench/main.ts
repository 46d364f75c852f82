// `npm run bench`: our figures beside those of the yardsticks (and, if asked for, the peers) in the same run.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';

import { measureAll } from './measure.ts';
import { readOptions } from './options.ts';
import { ratiosOf, ratioTableOf, rowsOf, tableOf } from './report.ts';
import { measureScheduled } from './scheduled.ts';
import { setStage } from './stage.ts';
import type { Suite, System } from './system.ts';
import { startBaseline } from './systems/baseline.ts';
import { startPeer } from './systems/peer.ts';
import { startPerdure } from './systems/perdure.ts';

/** What asks for more than one processor. */
const SPLIT_SUITES: Suite[] = ['shared'];
const { BENCH_ROOT = '.', BENCH_ENTRIES = '' } = process.env;
const options = readOptions(process.argv.slice(2));
const loadBefore = loadavg();
const stage = await setStage(BENCH_ROOT, BENCH_ENTRIES);
const systems: System[] = [];
try {
  const scheduled = options.scheduled > 0 ? await measureScheduled(stage, options.scheduled) : null;
  systems.push(await startPerdure(stage, { nodeOptions: process.env.BENCH_NODE_OPTIONS?.split(' ') ?? [] }));
  if (options.suites.some((suite) => SPLIT_SUITES.includes(suite))) {
    systems.push(await startPerdure(stage, { name: 'perdure api + worker', isSplit: true, suites: SPLIT_SUITES }));
  }
  if (options.against) systems.push(await startPerdure(stage, { name: 'before', root: options.against }));
  if (options.suites.some((suite) => suite === 'singles' || suite === 'latency')) {
    systems.push(await startBaseline('textbook', stage), await startBaseline('floor', stage));
  }
  for (const peer of options.peers) systems.push(await startPeer(peer, stage));
  const measurements = await measureAll(systems, options);
  const rows = rowsOf(measurements);
  const machine = {
    node: process.version,
    cpus: cpus().length,
    model: cpus()[0]?.model,
    loadBefore,
    loadAfter: loadavg(),
  };
  mkdirSync(dirname(options.report), { recursive: true });
  const report = { machine, options, rows, ratios: ratiosOf(rows), scheduled, measurements };
  writeFileSync(options.report, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`${tableOf(rows)}\n\n${ratioTableOf(rows)}`);
  if (scheduled) console.log(`\n${JSON.stringify(scheduled)}`);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  for (const system of systems) await system.stop().catch((error: unknown) => console.error(system.name, error));
  await stage.stop();
}
// The SDK's threads would keep the process.
process.exit();
