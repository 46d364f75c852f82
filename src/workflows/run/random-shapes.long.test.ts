// A hundred shapes of two hundred steps, and the same again while workers are killed: `npm run test:long`.
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { type Api } from '../../testing/api.ts';
import { type Fleet, startFleet } from '../../testing/fleet.ts';
import { type Receiver, startReceiver } from '../../testing/receiver.ts';
import { createRunTools } from '../../testing/runs.ts';
import { type Shape, shapesOf, underTest } from '../../testing/shapes.ts';

const SHAPES = 100;
const STEPS = 200;
const RUNS_AT_ONCE = 4;

let fleet: Fleet;
let receiver: Receiver;
const { start } = createRunTools((): Api => fleet.api);

beforeAll(async () => {
  [fleet, receiver] = await Promise.all([startFleet({ PERDURE_SHUTDOWN_GRACE: '2s' }), startReceiver()]);
});
afterEach(() => fleet.killWorkers());
afterAll(async () => {
  await fleet?.stop();
  await receiver?.stop();
});

async function runAll(shapes: Shape[], mayResend: boolean): Promise<{ steps: number; resent: number }> {
  const total = { steps: 0, resent: 0 };
  const left = [...shapes];
  const lane = async () => {
    for (let shape = left.pop(); shape; shape = left.pop()) {
      const { definition, check } = underTest(shape, receiver, { mayResend });
      const { steps, resent } = check(await ended((await start(definition)).id));
      total.steps += steps;
      total.resent += resent;
    }
  };
  await Promise.all(Array.from({ length: RUNS_AT_ONCE }, lane));
  return total;
}

async function ended(id: string) {
  for (let waits = 0; waits < 10; waits++) {
    const { body } = await fleet.api.get(`/v1/runs/${id}?wait=60s`);
    if (body.finishedAt !== null) return body;
  }
  throw new Error(`${id} has not ended`);
}

const seed = Number(process.env.SHAPES_SEED ?? Date.now() % 1_000_000);
const shapes = fc.sample(shapesOf(STEPS), { numRuns: SHAPES, seed });

test(`${SHAPES} random shapes of ${STEPS} steps: in order, once, with the outputs as given`, async () => {
  await Promise.all([fleet.startWorker(), fleet.startWorker()]);
  console.log({ seed, ...(await runAll(shapes, false)) });
}, 1_800_000);

test('the same while workers are killed: sent again only what was under way, under the same key', async () => {
  await Promise.all([fleet.startWorker(), fleet.startWorker()]);
  let kills = 0;
  let over = false;
  const killing = (async () => {
    while (!over) {
      // Between 3 and 13 seconds, so that some kills hit a run that has just recovered.
      await new Promise((resolve) => setTimeout(resolve, 3_000 + Math.random() * 10_000));
      const [victim] = fleet.workers.splice(0, 1);
      await victim?.end('SIGKILL');
      kills += 1;
      await fleet.startWorker();
    }
  })();
  const total = await runAll(shapes, true).finally(() => (over = true));
  await killing;
  console.log({ seed, kills, ...total });
  expect(kills).toBeGreaterThan(5);
}, 3_600_000);
