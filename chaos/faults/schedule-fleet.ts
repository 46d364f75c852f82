// Many schedules: under everything that dies at once, and all in the same second.
import { setTimeout as sleep } from 'node:timers/promises';

import { quantile } from '../checker.ts';
import type { Fault, Scene } from '../fault.ts';
import {
  allRows,
  eachOf,
  expectJob,
  jobIdOf,
  latenessMs,
  nominalText,
  putSchedule,
  RAN,
  timesFrom,
  wrongRows,
} from '../schedules.ts';
import type { Server } from '../servers.ts';
import { count } from '../sql.ts';

/** Twice as often as every minute. Every ten seconds is more than two cores carry while everything dies: they fall behind. */
const FLEET = {
  short: { schedules: 20, everyS: 2, fires: 8, leadMs: 4_000 },
  full: { schedules: 200, everyS: 30, fires: 6, leadMs: 20_000 },
};
const BURST = { short: { schedules: 100, leadMs: 10_000 }, full: { schedules: 2_000, leadMs: 100_000 } };
const MOST_LATE_MS = 60_000;
/** Temporal with SQLite wakes some 20 schedules a second on two cores; its own limit of 30 starts a second were 66 s. */
const LAST_OF_BURST_MS = 150_000;

export const SCHEDULE_FLEET: Fault = {
  id: 'F22',
  company: 'patient',
  title: 'A fleet of schedules while workers are killed, PostgreSQL is restarted and Temporal is killed, all at once',
  jobs: { short: 0, full: 0 },
  async disturb(scene) {
    const { schedules, everyS, fires, leadMs } = FLEET[scene.isShort ? 'short' : 'full'];
    const everyMs = everyS * 1_000;
    const startMs = Math.ceil((Date.now() + leadMs) / everyMs) * everyMs;
    const nominal = timesFrom(startMs, everyMs, fires);
    const times = new Map<string, number[]>();
    await eachOf(schedules, async (n) => {
      const options = { delivery: n % 3 === 0 ? ('atMostOnce' as const) : ('atLeastOnce' as const) };
      // Temporal is told of the one and of the other in different ways.
      const when = n % 2 === 0 ? { every: `${everyS}s` } : { cron: `*/${everyS} * * * * *` };
      const bounds = { startAt: nominalText(startMs), endAt: nominalText(nominal.at(-1) ?? 0) };
      await putSchedule(scene, `F22x${n}`, { ...when, ...bounds, overlap: 'allowAll' }, options);
      times.set(`F22x${n}`, nominal);
      for (const ms of nominal) await expectJob(scene, jobIdOf(`F22x${n}`, ms), options);
    });
    if (Date.now() > startMs) scene.complain('the schedules were not there in time');
    await sleep(Math.max(0, startMs - Date.now()));
    await disturbAll(scene, nominal.at(-1) ?? 0);
    await judgeRows(scene, times);
  },
  afterwards: async (scene) => judgeLateness(scene, 0.99, MOST_LATE_MS),
  budget({ figures, isShort }) {
    // One fire of each is under way when a worker dies; how many more are left from before, lateness tells.
    const most = Number(figures.kills) * FLEET[isShort ? 'short' : 'full'].schedules;
    return { dupSends: { atLeastOnce: most, atMostOnce: 0 }, unknown: most };
  },
};

export const SCHEDULE_BURST: Fault = {
  id: 'F23',
  title: 'Many schedules in the same second',
  jobs: { short: 0, full: 0 },
  async disturb(scene) {
    const { schedules, leadMs } = BURST[scene.isShort ? 'short' : 'full'];
    const atMs = Math.ceil((Date.now() + leadMs) / 1_000) * 1_000;
    const times = new Map<string, number[]>();
    await eachOf(schedules, async (n) => {
      await putSchedule(scene, `F23x${n}`, { at: nominalText(atMs) });
      times.set(`F23x${n}`, [atMs]);
      await expectJob(scene, jobIdOf(`F23x${n}`, atMs));
    });
    await sleep(Math.max(0, atMs - Date.now() - 500));
    const notInTemporal = 'schedules where applied_generation < generation';
    scene.figures.notInTemporal = await count(scene.ground.databaseUrl, notInTemporal);
    await judgeRows(scene, times);
  },
  afterwards: async (scene) => judgeLateness(scene, 1, LAST_OF_BURST_MS),
};

/** Each on its own, so that they meet in every way. */
async function disturbAll(scene: Scene, untilMs: number): Promise<void> {
  const { world, random, isShort } = scene;
  Object.assign(scene.figures, { kills: 0, postgresRestarts: 0, temporalKills: 0 });
  const every = async (minS: number, maxS: number, once: number, act: () => Promise<void>) => {
    for (;;) {
      const waitMs = isShort ? once : random.between(minS * 1_000, maxS * 1_000);
      if (Date.now() + waitMs > untilMs) return;
      await sleep(waitMs);
      const at = Date.now();
      await act();
      scene.healed(at);
      if (isShort) return;
    }
  };
  await Promise.all([
    every(5, 15, 3_000, () => replaceWorker(scene)),
    every(20, 30, 6_000, async () => {
      await away(world.postgres, random.isBelow(0.5), random.between(0, 2_000));
      bump(scene, 'postgresRestarts');
    }),
    every(60, 90, 9_000, async () => {
      await away(world.temporal, true, 0);
      bump(scene, 'temporalKills');
    }),
  ]);
  await sleep(Math.max(0, untilMs - Date.now()));
}

async function replaceWorker(scene: Scene): Promise<void> {
  await scene.ground.end('worker', 'SIGKILL');
  bump(scene, 'kills');
  await scene.ground.startPatiently('worker');
}

async function away(server: Server, killed: boolean, forMs: number): Promise<void> {
  await (killed ? server.kill() : server.stop());
  await sleep(forMs);
  await server.start();
}

function bump({ figures }: Scene, name: string): void {
  figures[name] = Number(figures[name]) + 1;
}

/** Every expected fire has its row, and has run. */
async function judgeRows(scene: Scene, times: Map<string, number[]>): Promise<void> {
  const rows = await allRows(scene, times);
  for (const [id, nominal] of times) {
    for (const wrong of wrongRows(rows.get(id) ?? [], nominal, RAN)) scene.complain(`${id}: ${wrong}`);
  }
  const all = [...rows.values()].flat();
  scene.figures.fires = all.length;
  scene.figures.caughtUp = all.filter(({ outcome }) => outcome === 'caughtUp').length;
}

/** This share of all calls has to come within the bound. */
function judgeLateness(scene: Scene, share: number, mostMs: number): void {
  const late = latenessMs(scene);
  const [p50, p99, last] = [quantile(late, 0.5), quantile(late, 0.99), quantile(late, 1)];
  Object.assign(scene.figures, { lateP50Ms: p50, lateP99Ms: p99, lastMs: last });
  const latest = quantile(late, share);
  if (!scene.isShort && latest > mostMs) scene.complain(`calls came ${latest} ms late, at most ${mostMs} allowed`);
}
