// `npm run chaos`: every fault against the built product in processes of its own, and a table of what came of it.
import { resolve } from 'node:path';

import { runFault } from './fault.ts';
import { FAULTS } from './faults/index.ts';
import { freeze } from './frozen.ts';
import { readOptions, USAGE } from './options.ts';
import { runOracle } from './oracle.ts';
import { complaintsOf, machine, type Report, tableOf, writeReport } from './report.ts';
import { createWorld, ORACLE } from './world.ts';

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
  const { only, seed, isShort, reportFolder } = options;
  const faults = FAULTS.filter(({ id }) => only.length === 0 || only.includes(id));
  console.log(`${faults.length} faults, ${isShort ? 'short' : 'full'}, seed ${seed}`);
  const command = ['npm run chaos --', ...args].join(' ');
  const report: Report = { command, seed, startedAt: new Date().toISOString(), machine: machine(), results: [] };
  const frozen = freeze(resolve('.'));
  const world = await createWorld(frozen.root);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void world.stop().finally(() => (frozen.remove(), process.exit(130))));
  }
  try {
    for (const fault of faults) {
      console.log(`${fault.id} ${fault.title} …`);
      const result = await runFault(world, fault, { isShort, seed, reportFolder });
      report.results.push(result);
      console.log(`${fault.id} ${result.isValid ? 'valid' : 'NOT VALID'} after ${result.seconds} s`);
      const complaints = complaintsOf([result]);
      if (complaints) console.log(complaints);
      // After each: a run that is broken off has a report too.
      writeReport(reportFolder, report);
    }
  } finally {
    await world.stop();
    frozen.remove();
  }
  console.log(`\n${tableOf(report.results)}`);
  return report.results.every(({ isValid }) => isValid) ? 0 : 1;
}

/** Neither valid nor not: the suite itself has failed. */
function broken(error: unknown): number {
  console.error(error);
  return 3;
}
