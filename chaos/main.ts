// `npm run chaos`: every fault against the built product in processes of its own, and a table of what came of it.
import { resolve } from 'node:path';

import { bounded } from './bounded.ts';
import { type Fault } from './fault.ts';
import { FAULTS } from './faults/index.ts';
import { freeze } from './frozen.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { runOracle } from './oracle.ts';
import { createPlay } from './playing.ts';
import { createProgress } from './progress.ts';
import { brokenOf, machine, type Report, tableOf, writeReport } from './report.ts';
import { createWorld, ORACLE, type World } from './world.ts';

/** More of them have the processor wait for them, not them for it. */
const BESIDE_EACH_OTHER = 3;
/** Whoever is to be judged by its times has the processor whenever it wants it. */
const PATIENTLY = ['nice', '-n', '19'];
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
  const frozen = freeze(resolve('.'));
  const worlds: World[] = [];
  const open = async (through: string[]) => {
    const world = await createWorld(frozen.root, through);
    worlds.push(world);
    return createPlay({ world, options, report, progress });
  };
  const clearAway = async () => {
    const stopping = Promise.all(worlds.map((world) => world.stop()));
    await bounded(stopping, STOPS_WITHIN_MS, 'the end').catch((error: unknown) => console.error(error));
    frozen.remove();
  };
  // One of a fault that was broken off is no reason to end all others; what it means for its own is seen there.
  process.on('unhandledRejection', (error) => progress.say(`unhandled: ${String(error)}`));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      writeReport(options.reportFolder, report);
      tell(report);
      void clearAway().finally(() => process.exit(130));
    });
  }
  try {
    await playAll(faults, options, open);
    report.endedAt = new Date().toISOString();
    writeReport(options.reportFolder, report);
  } finally {
    await clearAway();
  }
  tell(report);
  const { results } = report;
  return results.length > 0 && report.broken.length === 0 && results.every(({ isValid }) => isValid) ? 0 : 1;
}

/** First those whose times are judged, one by one; then the others beside each other. The patient ones meanwhile. */
async function playAll(
  faults: Fault[],
  { together }: Options,
  open: (through: string[]) => Promise<ReturnType<typeof createPlay>>,
): Promise<void> {
  const patient = faults.filter(({ isPatient }) => isPatient);
  const alone = faults.filter(({ isPatient, isTimed = true }) => !isPatient && isTimed && !together);
  // The longest begin first, so that none of them is left for the end.
  const others = faults
    .filter((fault) => !patient.includes(fault) && !alone.includes(fault))
    .sort((a, b) => (b.mostMinutes ?? 0) - (a.mostMinutes ?? 0));
  const playPatiently = async () => {
    if (patient.length > 0) await (await open(PATIENTLY)).oneByOne(patient);
  };
  const playOthers = async () => {
    if (patient.length === faults.length) return;
    const play = await open([]);
    await play.oneByOne(alone);
    await play.beside(others, together ? faults.length : BESIDE_EACH_OTHER);
  };
  await Promise.all([playPatiently(), playOthers()]);
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
