// Processes of the product that are killed, stopped, frozen or restarted in the middle of their work.
import { setTimeout as sleep } from 'node:timers/promises';

import { type Fault, RECOVERING_PER_SECOND, type Scene } from '../fault.ts';
import { MANY } from '../plan.ts';

const CONCURRENCY = 200;
/** Longer than a heartbeat may be late and than a first attempt may take: others have taken over by then. */
const FREEZE_MS = 60_000;
const SHORT_FREEZE_MS = 15_000;
const GRACE_MS = 10_000;
const ROLLS = 20;

export const PROCESS_FAULTS: Fault[] = [
  { id: 'F1', title: 'No fault', jobs: { short: 200, full: 10_000 }, perSecond: 80, mix: MANY },
  {
    id: 'F2',
    company: 'quiet',
    title: 'Worker killed (SIGKILL) every 5 to 15 s',
    jobs: { short: 200, full: 10_000 },
    perSecond: RECOVERING_PER_SECOND,
    environment: { PERDURE_CONCURRENCY: String(CONCURRENCY) },
    mix: { ...MANY, slowMs: 300 },
    async disturb(scene) {
      while (!scene.isOver()) {
        await scene.pause(5_000, 15_000);
        await replaceWorker(scene);
      }
    },
    budget: ({ figures }) => perCrash(Number(figures.kills)),
    bounds: { recoveryP99Ms: 15_000 },
  },
  {
    id: 'F3',
    company: 'others',
    title: 'Worker frozen (SIGSTOP) until others have taken over, then let go on',
    jobs: { short: 60, full: 200 },
    perSecond: 20,
    mix: { slowMs: 1_000, atMostOnce: 0.5, fields: { retry: { maxAttempts: 10, initialInterval: '200ms' } } },
    async disturb(scene) {
      await scene.pause(2_000, 3_000);
      const [frozen] = scene.ground.running.worker;
      if (!frozen) return;
      const at = Date.now();
      process.kill(frozen.pid, 'SIGSTOP');
      await sleep(scene.isShort ? SHORT_FREEZE_MS : FREEZE_MS);
      process.kill(frozen.pid, 'SIGCONT');
      scene.healed(at);
      scene.figures.frozenMs = Date.now() - at;
    },
    budget: () => perCrash(1),
  },
  {
    id: 'F4',
    company: 'others',
    mostMinutes: 20,
    title: 'Workers restarted one after the other (SIGTERM)',
    jobs: { short: 200, full: 5_000 },
    mix: { ...MANY, slowMs: 300 },
    async disturb(scene) {
      Object.assign(scene.figures, { restarts: 0, slowestExitMs: 0 });
      while (Number(scene.figures.restarts) < ROLLS && !scene.isOver()) {
        await scene.pause(2_000, 3_000);
        await restartWorker(scene);
      }
    },
  },
  {
    id: 'F5',
    company: 'others',
    mostMinutes: 20,
    title: 'API killed (SIGKILL) every 5 s under clients that try again',
    jobs: { short: 200, full: 10_000 },
    mix: MANY,
    async disturb(scene) {
      const { ground, figures } = scene;
      figures.kills = 0;
      while (!scene.isOver()) {
        await scene.pause(4_000, 6_000);
        const at = Date.now();
        await ground.end('api', 'SIGKILL');
        await ground.start('api');
        figures.kills += 1;
        scene.healed(at);
      }
    },
  },
];

/** All calls of a killed worker may be made again, or have an outcome that nobody knows. */
export function perCrash(crashes: number) {
  const most = crashes * CONCURRENCY;
  return { dupSends: { atLeastOnce: most, atMostOnce: 0 }, unknown: most };
}

/** Healed at once: the other worker is there meanwhile. */
async function replaceWorker({ ground, figures, healed }: Scene): Promise<void> {
  const at = Date.now();
  await ground.end('worker', 'SIGKILL');
  healed(at);
  figures.kills = Number(figures.kills ?? 0) + 1;
  await ground.start('worker');
}

/** As in any rolling restart: told to end, and killed when it does not. */
async function restartWorker({ ground, figures, complain }: Scene): Promise<void> {
  const at = Date.now();
  const [leaving] = ground.running.worker;
  const killing = setTimeout(() => leaving && process.kill(leaving.pid, 'SIGKILL'), GRACE_MS + 5_000);
  const code = await ground.end('worker', 'SIGTERM');
  clearTimeout(killing);
  const exitMs = Date.now() - at;
  if (code !== 0) complain(`a worker told to end ended with ${code} after ${exitMs} ms`);
  Object.assign(figures, {
    restarts: Number(figures.restarts) + 1,
    slowestExitMs: Math.max(Number(figures.slowestExitMs), exitMs),
  });
  await ground.start('worker');
}
