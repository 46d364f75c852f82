// `npm run chaos`: every fault against the built product in processes of its own, and a table of what came of it.
import { resolve } from 'node:path';

import { bounded } from './bounded.ts';
import { type Fault } from './fault.ts';
import { FAULTS } from './faults/index.ts';
import { freeze } from './frozen.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { runOracle } from './oracle.ts';
import { playPatiently } from './patient.ts';
import { createPlay } from './playing.ts';
import { createProgress } from './progress.ts';
import { brokenOf, machine, type Report, tableOf, writeReport } from './report.ts';
import { createWorld, ORACLE } from './world.ts';

/** More of them have the processor wait for them, not them for it. */
const BESIDE_EACH_OTHER = 3;
const STOPS_WITHIN_MS = 60_000;

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
  const progress = createProgress();
  progress.say(`${faults.length} faults, ${isShort ? 'short' : 'full'}, seed ${seed}`);
  const report: Report = {
    command: ['npm run chaos --', ...args].join(' '),
    seed,
    startedAt: new Date().toISOString(),
    machine: machine(),
    ...{ results: [], notRun: [], broken: [], endedAt: null },
  };
  const patient = faults.filter(({ isPatient }) => isPatient);
  const others = faults.filter((fault) => !patient.includes(fault));
  const beside = patient.length > 0 && others.length > 0 ? playPatiently(patient, options) : null;
  const frozen = freeze(resolve('.'));
  const world = await createWorld(frozen.root);
  const clearAway = async () => {
    await bounded(world.stop(), STOPS_WITHIN_MS, 'the end').catch((error: unknown) => console.error(error));
    frozen.remove();
  };
  // One of a fault that was broken off is no reason to end all others; what it means for its own is seen there.
  process.on('unhandledRejection', (error) => progress.say(`unhandled: ${String(error)}`));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      writeReport(options.reportFolder, report);
      tell(report);
      beside?.stop();
      void clearAway().finally(() => process.exit(130));
    });
  }
  try {
    await playAll(beside ? others : faults, options, createPlay({ world, options, report, progress }));
    await beside?.endInto(report);
    report.endedAt = new Date().toISOString();
    writeReport(options.reportFolder, report);
  } finally {
    await clearAway();
  }
  tell(report);
  const { results } = report;
  return results.length > 0 && report.broken.length === 0 && results.every(({ isValid }) => isValid) ? 0 : 1;
}

/** First those whose times are judged, each alone; then the others beside each other. */
async function playAll(faults: Fault[], options: Options, play: ReturnType<typeof createPlay>): Promise<void> {
  const alone = faults.filter(({ isTimed = true }) => isTimed && !options.together);
  await play.oneByOne(alone);
  // The longest begin first, so that none of them is left for the end.
  const others = faults
    .filter((fault) => !alone.includes(fault))
    .sort((a, b) => (b.mostMinutes ?? 0) - (a.mostMinutes ?? 0));
  await play.beside(others, options.together ? faults.length : BESIDE_EACH_OTHER);
}

function tell(report: Report): void {
  console.log(`\n${tableOf(report.results)}`);
  for (const { id, whyNot } of report.notRun) console.log(`${id} was NOT RUN: ${whyNot}`);
  if (report.broken.length > 0) console.log(brokenOf(report));
}

/** Neither valid nor not: the suite itself has failed. */
function broken(error: unknown): number {
  console.error(error);
  return 3;
}
