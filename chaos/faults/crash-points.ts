// Every failpoint: the process dies, fails or freezes exactly there while the product is used; nothing may come of it.
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually } from '../../src/testing/api.ts';
import { drain } from '../facts.ts';
import type { Fault, Scene } from '../fault.ts';
import { createGround, type Ground, isKilled, type Role } from '../ground.ts';
import { readSends } from '../ledger.ts';
import { SCENARIOS } from '../scenarios.ts';
import { type Crash, plannedCrashes, POINTS } from './crash-table.ts';

/** So many are played beside each other, each on a ground of its own: most of a crash is waiting. */
const PLACES = { short: 5, full: 6 };
const REACHED_WITHIN_MS = 180_000;
/** Heartbeats, leases and the timeouts of tasks are over by then. */
const TAKEN_OVER_WITHIN_MS = 240_000;
/** The relay has taken over by then, and PostgreSQL has ended a transaction that was left open. */
const API_FROZEN_MS = 12_000;
/**
 * After a failed start the next ones are left to the relay for a second, and a carrier that was started meanwhile takes
 * others along for two: until then they do not come by that point.
 */
const COOLED_DOWN_MS = 2_500;
/** In which one that goes on writes what it has. */
const LATE_MS = 3_000;
/** In flight when a worker dies: what this crash submitted and what earlier ones left behind. */
const IN_FLIGHT = 10;
/** A webhook that nobody confirmed is sent again when its lease is over. */
const HOOKS_WITHIN_MS = 120_000;

export const CRASH_POINTS: Fault = {
  id: 'C1',
  company: 'all',
  mostMinutes: 55,
  title: `The process dies, fails or freezes at each of ${POINTS.length} points`,
  jobs: { short: 0, full: 0 },
  apis: 0,
  workers: 0,
  async disturb(scene) {
    const crashes = plannedCrashes(scene.isShort, scene.points);
    if (crashes.length === 0) throw new Error(`there is no crash point ${scene.points.join(', ')}`);
    Object.assign(scene.figures, { exit: 0, throw: 0, stop: 0 });
    while (scene.grounds.length < Math.min(PLACES[scene.isShort ? 'short' : 'full'], crashes.length)) {
      scene.grounds.push(await createGround(scene.world));
    }
    const frozen = crashes.filter(({ actions }) => actions.includes('stop'));
    const others = crashes.filter(({ actions }) => !actions.includes('stop'));
    const using: Promise<void>[] = [];
    const play = async (ground: Ground, at: number) => {
      const here = { ...scene, ground };
      // Every other place freezes first, so that neither kind is left for the end.
      const [first, second] = at % 2 === 0 ? [frozen, others] : [others, frozen];
      const take = () => first.shift() ?? second.shift();
      for (let next = take(); next; next = take()) using.push(...(await crash(here, next)));
      await end(here, 'start');
      for (const role of ['api', 'worker'] as const) if (!isRunning(here, role)) await replace(here, role, null);
    };
    await Promise.all(scene.grounds.map(play));
    await Promise.all(using);
  },
  async afterwards(scene) {
    const hooks = new Set(scene.plans.filter(({ steps }) => steps.hook).map(({ tag }) => tag));
    const areSent = () => {
      const sent = readSends(scene.world, (tag) => hooks.has(tag)).filter(({ step }) => step === 'hook');
      return new Set(sent.map(({ tag }) => tag)).size === hooks.size;
    };
    await eventually(areSent, { timeoutMs: HOOKS_WITHIN_MS }).catch(
      () => void scene.complain('a webhook was not sent'),
    );
  },
  budget({ figures }) {
    const most = (Number(figures.exit) + Number(figures.throw) + Number(figures.stop)) * IN_FLIGHT;
    return { dupSends: { atLeastOnce: most, atMostOnce: 0 }, unknown: most, alsoEnds: ['canceled'] };
  },
};

/** What was begun and has yet to end; the next process helps it along. */
async function crash(scene: Scene, one: Crash): Promise<Promise<void>[]> {
  const { label, actions, point } = one;
  const { name, role, apiDiesAt, comesLate } = point;
  const nth = nthOf(one);
  if (apiDiesAt) await replace(scene, 'api', `${apiDiesAt}:1:exit`);
  for (const other of othersOf(role)) if (!isRunning(scene, other)) await replace(scene, other, null);
  if (comesLate) await end(scene, role);
  const using = comesLate ? use(scene, one, nth) : [];
  await Promise.allSettled(using);
  await replace(scene, role, actions.map((action, at) => `${name}:${at === 0 ? nth : 1}:${action}`).join());
  for (const [at, action] of actions.entries()) {
    if (!comesLate) using.push(...use(scene, one, at === 0 ? nth : 1, at));
    const isReached = () => (action === 'exit' ? !isRunning(scene, role) : hasSaid(scene, role, `${name}: ${action}`));
    const reached = await eventually(isReached, { timeoutMs: REACHED_WITHIN_MS }).catch(() => false);
    if (reached) scene.figures[action] = Number(scene.figures[action]) + 1;
    else scene.complain(`${label} was not reached`);
    if (apiDiesAt) await replace(scene, 'api', null);
    if (reached && action === 'throw') await sleep(COOLED_DOWN_MS);
    if (reached && action === 'stop') await (role === 'worker' ? thawWorker : thawApi)(scene, label, using);
  }
  return using;
}

/** So many at the same moment. */
function use(scene: Scene, { label, scenario, time }: Crash, count: number, round = 0): Promise<void>[] {
  const name = label.replace(/\W/g, '');
  const using = Array.from({ length: count }, (_, n) => SCENARIOS[scenario](scene, `C1x${name}${time}x${round}${n}`));
  // Heard of at the end; until then a failure is not unhandled.
  for (const each of using) each.catch(() => {});
  return using;
}

/** Not always the first time it is reached, so that others are under way; not where one alone may come that far. */
function nthOf({ point, scenario, time }: Crash): number {
  // Who shares a carrier, or is accepted by an API that dies of the first.
  const isOnce = point.role === 'start' || point.apiDiesAt || scenario === 'shared' || scenario === 'stranded';
  return isOnce ? 1 : 1 + ((time - 1) % 3);
}

/** Another takes over all of its work; then it goes on, and what it knows is old. */
async function thawWorker(scene: Scene, label: string, using: Promise<void>[]): Promise<void> {
  const { ground } = scene;
  const [frozen] = ground.running.worker;
  if (!frozen) return;
  await ground.startPatiently('worker');
  await Promise.allSettled(using);
  if (!(await drain(ground, TAKEN_OVER_WITHIN_MS))) scene.complain(`nobody took over from ${label}`);
  process.kill(frozen.pid, 'SIGCONT');
  await sleep(LATE_MS);
  ground.running.worker.shift();
  await frozen.end('SIGKILL');
}

async function thawApi({ ground }: Scene): Promise<void> {
  await sleep(API_FROZEN_MS);
  for (const { pid } of ground.running.api) process.kill(pid, 'SIGCONT');
}

function isRunning({ ground }: Scene, role: Role): boolean {
  return ground.running[role].some((process) => !process.hasEnded());
}

function hasSaid({ ground }: Scene, role: Role, what: string): boolean {
  return ground.running[role].some((process) => process.output().includes(`failpoint ${what}`));
}

/** Who has to be there beside it. */
function othersOf(role: Role): Role[] {
  if (role === 'start') return [];
  return role === 'api' ? ['worker'] : ['api'];
}

/** One that finds work at once may die before it says that it is ready. */
async function replace(scene: Scene, role: Role, failpoint: string | null): Promise<void> {
  const { ground } = scene;
  const rivals: Role[] = role === 'start' ? ['api', 'worker'] : ['start'];
  for (const each of [role, ...rivals]) await end(scene, each);
  if (failpoint === null) return void (await ground.startPatiently(role));
  await ground.startPatiently(role, { PERDURE_FAILPOINT: failpoint }).catch((error: unknown) => {
    if (!isKilled(error)) throw error;
  });
}

async function end({ ground, complain }: Scene, role: Role): Promise<void> {
  for (const process of ground.running[role].splice(0)) {
    // Whoever reaches an `exit` has no exit code.
    const code = process.exitCode();
    if (code !== null) complain(`a ${role} ended with ${code}: ${process.output().slice(-500)}`);
    await process.end('SIGKILL');
  }
}
