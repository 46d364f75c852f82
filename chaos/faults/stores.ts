// PostgreSQL or Temporal away: restarted, killed, cut off, or swallowing what they are sent.
import { setTimeout as sleep } from 'node:timers/promises';

import { readRows } from '../facts.ts';
import { type Fault, RECOVERING_PER_SECOND, type Scene } from '../fault.ts';
import { startGrpcDetour } from '../grpc-detour.ts';
import { MANY } from '../plan.ts';
import type { Server } from '../servers.ts';

const STARTS_WITHIN_MS = 5_000;
/** Of what has waited, while new ones come as before: what two cores have to spare. */
const STARTS_PER_SECOND = 40;

export const STORE_FAULTS: Fault[] = [
  {
    id: 'F6',
    title: 'PostgreSQL restarted every 5 to 10 s, away for up to 2 s, half of the times killed',
    jobs: { short: 200, full: 10_000 },
    // More than others are given: it has the machine to itself.
    perSecond: 50,
    mix: MANY,
    async disturb(scene) {
      scene.figures.restarts = 0;
      while (!scene.isOver()) {
        await scene.pause(5_000, 10_000);
        const { postgres } = scene.world;
        await away(scene, postgres, scene.random.isBelow(0.5), scene.random.between(0, 2_000));
        scene.figures.restarts += 1;
      }
    },
    bounds: { recoveryP99Ms: 5_000, slowestCallMs: 3_000 },
  },
  {
    id: 'F11',
    company: 'patient',
    title: 'Temporal stopped for 60 s during submissions',
    jobs: { short: 150, full: 3_000 },
    mix: MANY,
    async disturb(scene) {
      await scene.pause(2_000, 3_000);
      await away(scene, scene.world.temporal, false, scene.isShort ? 3_000 : 60_000);
      scene.figures.backAt = Date.now();
    },
    async afterwards(scene) {
      if (scene.history.calls.some(({ op, outcome }) => op === 'submit' && outcome !== 'ok')) {
        scene.complain('a submission was not accepted while Temporal was away');
      }
      await firstStarts(scene);
    },
  },
  {
    id: 'F12',
    company: 'others',
    title: 'Half of the starts carried out by Temporal and answered with DEADLINE_EXCEEDED',
    jobs: { short: 100, full: 1_000 },
    perSecond: 30,
    async prepare({ temporal }, random) {
      const detour = await startGrpcDetour(
        temporal.address,
        (path) => path.endsWith('/StartWorkflowExecution') && random.isBelow(0.5),
      );
      return {
        environment: () => ({ TEMPORAL_ADDRESS: detour.address }),
        figures: () => ({ timedOut: detour.timedOut() }),
        close: () => detour.stop(),
      };
    },
    async afterwards({ history, complain }) {
      if (history.calls.some(({ op, outcome }) => op === 'submit' && outcome !== 'ok')) {
        complain('a client heard of a start that timed out');
      }
    },
  },
  {
    id: 'F13',
    company: 'patient',
    title: 'Temporal killed (SIGKILL) and started again',
    jobs: { short: 150, full: 2_000 },
    perSecond: RECOVERING_PER_SECOND,
    mix: MANY,
    async disturb(scene) {
      const kills = scene.isShort ? 1 : 3;
      for (let n = 0; n < kills; n++) {
        await scene.pause(5_000, 10_000);
        await away(scene, scene.world.temporal, true, 0);
      }
    },
    bounds: { recoveryP99Ms: 25_000 },
  },
];

/** How long all the others take is a matter of how many there are and of the machine; that it goes on at once is not. */
async function firstStarts({ ground, figures, isShort, complain }: Scene): Promise<void> {
  const backAt = Number(figures.backAt);
  delete figures.backAt;
  const rows = await readRows(ground);
  const waited = rows.filter(({ createdAt, finishedAt }) => createdAt < backAt && (finishedAt ?? Infinity) > backAt);
  const starts = waited.flatMap(({ startedAt }) => (startedAt !== null && startedAt >= backAt ? [startedAt] : []));
  starts.sort((a, b) => a - b);
  const [first = backAt] = starts;
  const allStartedMs = (starts.at(-1) ?? backAt) - backAt;
  Object.assign(figures, { waited: waited.length, firstStartMs: first - backAt, allStartedMs });
  if (!isShort && first - backAt > STARTS_WITHIN_MS) complain('it did not go on when Temporal was back');
  if (!isShort && allStartedMs > STARTS_WITHIN_MS + (waited.length / STARTS_PER_SECOND) * 1_000) {
    complain(`the last of ${waited.length} began ${allStartedMs} ms after Temporal was back`);
  }
}

async function away(scene: Scene, server: Server, killed: boolean, forMs: number): Promise<void> {
  const at = Date.now();
  await (killed ? server.kill() : server.stop());
  await sleep(forMs);
  await server.start();
  const awayMs = scene.healed(at);
  scene.figures.longestAwayMs = Math.max(Number(scene.figures.longestAwayMs ?? 0), awayMs);
}
