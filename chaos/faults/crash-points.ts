// Every failpoint: the process dies exactly there, again and again, while the product is used; nothing may come of it.
import type { FailpointName } from '../../src/failpoint.ts';
import { eventually } from '../../src/testing/api.ts';
import { readSends } from '../facts.ts';
import type { Fault, Scene } from '../fault.ts';
import type { Role } from '../ground.ts';
import { SCENARIOS } from '../scenarios.ts';

interface CrashPoint {
  name: FailpointName;
  role: Role;
  scenario: keyof typeof SCENARIOS;
  /** The API dies there first, so that there is something for the relay. */
  apiDiesAt?: FailpointName;
}

const POINTS: CrashPoint[] = [
  { name: 'accept.begin', role: 'api', scenario: 'job' },
  { name: 'accept.uncommitted', role: 'api', scenario: 'dependant' },
  { name: 'accept.committed', role: 'api', scenario: 'job' },
  { name: 'start.started', role: 'api', scenario: 'job' },
  { name: 'start.marked', role: 'api', scenario: 'delayed' },
  { name: 'cancel.settled', role: 'api', scenario: 'canceled' },
  { name: 'redrive.uncommitted', role: 'api', scenario: 'redriven' },
  { name: 'redrive.committed', role: 'api', scenario: 'redriven' },
  { name: 'batch.committed', role: 'api', scenario: 'batch' },
  { name: 'run.accepted', role: 'api', scenario: 'run' },
  { name: 'relay.started', role: 'worker', scenario: 'job', apiDiesAt: 'accept.committed' },
  { name: 'attempt.begin', role: 'worker', scenario: 'job' },
  { name: 'attempt.claimed', role: 'worker', scenario: 'job' },
  { name: 'attempt.sent', role: 'worker', scenario: 'job' },
  { name: 'attempt.answered', role: 'worker', scenario: 'job' },
  { name: 'attempt.recorded', role: 'worker', scenario: 'job' },
  { name: 'attempt.done', role: 'worker', scenario: 'job' },
  { name: 'notify.taken', role: 'worker', scenario: 'notified' },
  { name: 'notify.sent', role: 'worker', scenario: 'notified' },
  { name: 'lane.claimed', role: 'worker', scenario: 'batch' },
  { name: 'lane.called', role: 'worker', scenario: 'batch' },
  { name: 'lane.written', role: 'worker', scenario: 'batch' },
  { name: 'run.begun', role: 'worker', scenario: 'run' },
  { name: 'run.recorded', role: 'worker', scenario: 'waiting' },
  { name: 'run.finished', role: 'worker', scenario: 'run' },
  { name: 'schedule.applied', role: 'worker', scenario: 'scheduled' },
  { name: 'schedule.fired', role: 'worker', scenario: 'scheduled' },
];

const TIMES = { short: 1, full: 20 };
const DIES_WITHIN_MS = 60_000;
/** In flight when a worker dies: what this crash submitted and what earlier ones left behind. */
const IN_FLIGHT = 10;
/** A webhook that nobody confirmed is sent again when its lease is over. */
const HOOKS_WITHIN_MS = 120_000;

export const CRASH_POINTS: Fault = {
  id: 'C1',
  title: `The process dies at each of ${POINTS.length} points`,
  jobs: { short: 0, full: 0 },
  async disturb(scene) {
    scene.figures.crashes = 0;
    const using: Promise<void>[] = [];
    for (const point of POINTS) {
      for (let time = 1; time <= TIMES[scene.isShort ? 'short' : 'full']; time++) {
        using.push(...(await crash(scene, point, time)));
      }
    }
    for (const role of ['api', 'worker'] as const) await replace(scene, role, null);
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
    const most = Number(figures.crashes) * IN_FLIGHT;
    return { dupSends: { atLeastOnce: most, atMostOnce: 0 }, unknown: most, alsoEnds: ['canceled'] };
  },
};

/** What was begun and has yet to end; the next process helps it along. */
async function crash(scene: Scene, point: CrashPoint, time: number): Promise<Promise<void>[]> {
  const { name, role, scenario, apiDiesAt } = point;
  // Not always the first time it is reached, so that others are under way.
  const nth = 1 + ((time - 1) % 3);
  const other = role === 'api' ? 'worker' : 'api';
  if (apiDiesAt) await replace(scene, 'api', `${apiDiesAt}:1:exit`);
  else if (!isRunning(scene, other)) await replace(scene, other, null);
  await replace(scene, role, `${name}:${nth}:exit`);
  const tagOf = (n: number) => `C1x${name.replace('.', '')}${time}x${n}`;
  const using = Array.from({ length: nth }, (_, n) => SCENARIOS[scenario](scene, tagOf(n)));
  // Heard of at the end; until then a failure is not unhandled.
  for (const one of using) one.catch(() => {});
  const died = await eventually(() => !isRunning(scene, role), { timeoutMs: DIES_WITHIN_MS }).catch(() => false);
  if (died) scene.figures.crashes = Number(scene.figures.crashes) + 1;
  else scene.complain(`no process has died at ${name}`);
  if (apiDiesAt) await replace(scene, 'api', null);
  return using;
}

function isRunning({ ground }: Scene, role: Role): boolean {
  return ground.running[role].some((process) => !process.hasEnded());
}

/** One that finds work at once may die before it says that it is ready. */
async function replace({ ground }: Scene, role: Role, failpoint: string | null): Promise<void> {
  for (const process of ground.running[role].splice(0)) await process.end('SIGKILL');
  if (failpoint === null) return void (await ground.startPatiently(role));
  await ground.start(role, { PERDURE_FAILPOINT: failpoint }).catch((error: unknown) => {
    if (!/ended with SIGKILL/.test(String(error))) throw error;
  });
}
