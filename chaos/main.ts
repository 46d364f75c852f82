// `npm run chaos`: every fault against the built product in processes of its own, and a table of what came of it.
import { resolve } from 'node:path';

import { bounded } from './bounded.ts';
import type { Company, Fault } from './fault.ts';
import { FAULTS } from './faults/index.ts';
import { freeze } from './frozen.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { runOracle } from './oracle.ts';
import { type PatientRun, playPatiently } from './patient.ts';
import { createPlay } from './playing.ts';
import { createProgress } from './progress.ts';
import { brokenOf, machine, type Report, tableOf, writeReport } from './report.ts';
import { createWorld, ORACLE } from './world.ts';

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
  const world = await createWorld(frozen.root);
  const clearAway = async () => {
    await bounded(world.stop(), STOPS_WITHIN_MS, 'the end').catch((error: unknown) => console.error(error));
    frozen.remove();
  };
  // One of a fault that was broken off is no reason to end all others; what it means for its own is seen there.
  process.on('unhandledRejection', (error) => progress.say(`unhandled: ${String(error)}`));
  let patientRun: PatientRun | null = null;
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      ending.abort();
      writeReport(options.reportFolder, report);
      tell(report);
      patientRun?.stop();
      void clearAway().finally(() => process.exit(130));
    });
  }
  const playPatient = (patient: Fault[]) => (patientRun = playPatiently(patient, options)).endInto(report);
  try {
    await playAll(
      faults,
      options,
      createPlay({ world, options, report, progress, ending: ending.signal }),
      playPatient,
    );
    report.endedAt = new Date().toISOString();
    writeReport(options.reportFolder, report);
  } finally {
    await clearAway();
  }
  tell(report);
  const { results } = report;
  return results.length > 0 && report.broken.length === 0 && results.every(({ isValid }) => isValid) ? 0 : 1;
}

/**
 * First those that bear nobody, each alone; then those that bear the quiet ones, and those that bear the patient ones; then
 * the others, two at a time.
 */
async function playAll(
  faults: Fault[],
  { together }: Options,
  play: ReturnType<typeof createPlay>,
  playPatient: (faults: Fault[]) => Promise<void>,
): Promise<void> {
  const of = (wanted: Company | undefined) => faults.filter(({ company }) => company === wanted);
  const patient = of('all');
  if (together || patient.length === faults.length) {
    return void (await Promise.all([...faults].map(() => play.lane(() => faults.pop()))));
  }
  await play.oneByOne(of(undefined));
  const quiet = of('others').filter(({ isQuiet }) => isQuiet);
  let areBorne = true;
  const bearing = play.oneByOne(of('quiet')).then(() => void (areBorne = false));
  await Promise.all([bearing, play.lane(() => (areBorne ? quiet.shift() : undefined))]);
  const patientOnes = patient.length > 0 ? playPatient(patient) : null;
  await play.oneByOne(of('patient'));
  // One large and one small at a time: more of them would wait for the processor.
  const others = [...quiet, ...of('others').filter(({ isQuiet }) => !isQuiet)].sort(
    (a, b) => a.jobs.full - b.jobs.full,
  );
  await Promise.all([play.lane(() => others.pop()), play.lane(() => others.shift())]);
  await patientOnes;
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
