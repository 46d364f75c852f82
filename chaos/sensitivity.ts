// `npm run chaos:sensitivity`: breaks a copy of the product on purpose, and requires that the suite finds each break.
import { join, resolve } from 'node:path';

import { type Break, BREAKS, brokenTexts } from './breaks.ts';
import { type Result, runFault } from './fault.ts';
import { FAULTS } from './faults/index.ts';
import { type Copy, freeze, rebuild } from './frozen.ts';
import { emptyLedger } from './ledger.ts';
import { runOracle } from './oracle.ts';
import { complaintsOf } from './report.ts';
import { createWorld, ORACLE, type World } from './world.ts';

const SEED = 1;
const REPORT = join('chaos-report', 'broken');

const copies = new Set<Copy>();

const [, , first, ...rest] = process.argv;
if (first === ORACLE) await runOracle(rest[0] ?? '');
else process.exit(await main(process.argv.slice(2)).catch(broken));

/** Each argument is a part of the names of those that are to be tried. */
async function main(parts: string[]): Promise<number> {
  const root = resolve('.');
  const tried = BREAKS.filter(({ name }) => parts.length === 0 || parts.some((part) => name.includes(part)));
  if (tried.length === 0) throw new Error(`there is no break ${parts.join(', ')}`);
  const world = await createWorld(root);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void world.stop().finally(() => (copies.forEach(remove), process.exit(130))));
  }
  const missed: string[] = [];
  try {
    for (const one of tried) if (!(await isFound(world, one))) missed.push(one.name);
  } finally {
    await world.stop();
  }
  for (const name of missed) console.log(`NOT FOUND: ${name}`);
  if (missed.length === 0) console.log(`All ${tried.length} breaks were found.`);
  return missed.length === 0 ? 0 : 1;
}

async function isFound(world: World, one: Break): Promise<boolean> {
  const frozen = freeze(world.root);
  copies.add(frozen);
  try {
    await rebuild(world.root, frozen.root, brokenTexts(world.root, one));
    // The same fault makes the same names: what was sent for the break before is none of this one's business.
    emptyLedger(world);
    const result = await play({ ...world, root: frozen.root }, one);
    const found = one.finds.filter((what) => result.violations[what]?.length);
    console.log(`${found.length > 0 ? 'found' : 'NOT FOUND'}: ${one.name} (${one.fault}, ${result.seconds} s)`);
    console.log(complaintsOf([result]));
    return found.length > 0;
  } finally {
    remove(frozen);
  }
}

function remove(copy: Copy): void {
  copies.delete(copy);
  copy.remove();
}

async function play(world: World, { fault: id, points = [], jobs, stuckAfterMs }: Break): Promise<Result> {
  const fault = FAULTS.find((one) => one.id === id);
  if (!fault) throw new Error(`there is no fault ${id}`);
  const options = { isShort: true, seed: SEED, reportFolder: REPORT, jobs: jobs ?? null, points };
  return runFault(world, fault, { ...options, ...(stuckAfterMs === undefined ? {} : { stuckAfterMs }) });
}

/** Neither found nor missed: the suite itself has failed. */
function broken(error: unknown): number {
  console.error(error);
  return 3;
}
