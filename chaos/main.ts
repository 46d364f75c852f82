// `npm run chaos`: every fault against the built product in processes of its own, and a table of what came of it.
import { resolve } from 'node:path';

import { type Fault, runFault } from './fault.ts';
import { FAULTS } from './faults/index.ts';
import { freeze } from './frozen.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { runOracle } from './oracle.ts';
import { complaintsOf, machine, type Report, tableOf, writeReport } from './report.ts';
import { createWorld, ORACLE, type World } from './world.ts';

/** More of them have the processor wait for them, not them for it. */
const BESIDE_EACH_OTHER = 3;

const [, , first, ...rest] = process.argv;
if (first === ORACLE) await runOracle(rest[0] ?? '');
else process.exit(await main(process.argv.slice(2)).catch(broken));

async function main(args: string[]): Promise<number> {
  const options = readOptions(
    args,
    FAULTS.map(({ id }) => id),
  );
  if (typeof options === 'string') {
    console.error(`${options}\n${USAGE}`);
    return 2;
  }
  const { only, seed, isShort } = options;
  const faults = FAULTS.filter(({ id }) => only.length === 0 || only.includes(id));
  console.log(`${faults.length} faults, ${isShort ? 'short' : 'full'}, seed ${seed}`);
  const command = ['npm run chaos --', ...args].join(' ');
  const report: Report = {
    command,
    seed,
    startedAt: new Date().toISOString(),
    machine: machine(),
    results: [],
    notRun: [],
  };
  const frozen = freeze(resolve('.'));
  const world = await createWorld(frozen.root);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void world.stop().finally(() => (frozen.remove(), process.exit(130))));
  }
  try {
    const tryOne = (fault: Fault) => tryOut(world, fault, options, report);
    const alone = faults.filter(({ isTimed = true }) => isTimed && !options.together);
    for (const fault of alone) await tryOne(fault);
    // The longest is the last of them, and begins first.
    const untimed = faults.filter((fault) => !alone.includes(fault)).reverse();
    const lane = async () => {
      for (let fault = untimed.shift(); fault; fault = untimed.shift()) await tryOne(fault);
    };
    const lanes = options.together ? faults.length : BESIDE_EACH_OTHER;
    await Promise.all(Array.from({ length: lanes }, lane));
  } finally {
    await world.stop();
    frozen.remove();
  }
  console.log(`\n${tableOf(report.results)}`);
  for (const { id, whyNot } of report.notRun) console.log(`${id} was NOT RUN: ${whyNot}`);
  return report.results.length > 0 && report.results.every(({ isValid }) => isValid) ? 0 : 1;
}

async function tryOut(world: World, fault: Fault, options: Options, report: Report): Promise<void> {
  const { id, title } = fault;
  const whyNot = fault.whyNot?.() ?? null;
  if (whyNot !== null) {
    console.log(`${id} NOT RUN: ${whyNot}`);
    report.notRun.push({ id, title, whyNot });
    return;
  }
  console.log(`${id} ${title} …`);
  const result = await runFault(world, fault, options);
  report.results.push(result);
  console.log(`${id} ${result.isValid ? 'valid' : 'NOT VALID'} after ${result.seconds} s`);
  const complaints = complaintsOf([result]);
  if (complaints) console.log(complaints);
  // After each: a run that is broken off has a report too.
  writeReport(options.reportFolder, report);
}

/** Neither valid nor not: the suite itself has failed. */
function broken(error: unknown): number {
  console.error(error);
  return 3;
}
