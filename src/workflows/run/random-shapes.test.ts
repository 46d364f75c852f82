// Any shape of steps: none starts before what it depends on has ended, each runs once, outputs arrive as given.
import { join } from 'node:path';

import { Worker } from '@temporalio/worker';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { type Api, createApi, type Json } from '../../testing/api.ts';
import { type Instance, startInstance } from '../../testing/instance.ts';
import { type Receiver, startReceiver } from '../../testing/receiver.ts';
import { createRunTools, JSON_ANSWER, unique } from '../../testing/runs.ts';

const SHAPES = 6;
const STEPS = 60;

const workflowBundle = { codePath: join(inject('repoRoot'), 'dist', 'workflow-bundle.js') };

let instance: Instance;
let receiver: Receiver;
let api: Api;
const { start, ended } = createRunTools(() => api);

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
  api = createApi(instance.url);
});
afterAll(async () => {
  await instance?.stop();
  await receiver?.stop();
});

/** For each step the earlier steps it uses, and whether its condition holds. */
const shape = fc
  .array(fc.record({ uses: fc.array(fc.nat(), { maxLength: 3 }), runs: fc.boolean() }), {
    minLength: STEPS,
    maxLength: STEPS,
  })
  .map((steps) =>
    steps.map(({ uses, runs }, index) => ({
      uses: index === 0 ? [] : [...new Set(uses.map((use) => use % index))],
      runs: runs || index % 5 !== 0,
    })),
  );

test(`${SHAPES} random shapes of ${STEPS} steps`, { timeout: 120_000 }, async () => {
  const check = fc.asyncProperty(shape, async (steps) => {
    const path = unique('/shape');
    const times = new Map<number, { startedAt: number; endedAt: number; body: Json }>();
    receiver.on(`${path}/`, ({ path: full, body, at }, response) => {
      const index = Number(full.split('/').at(-1));
      const output = { n: index, sum: (JSON.parse(body) as number[]).length };
      expect(times.has(index)).toBe(false);
      setTimeout(() => {
        times.set(index, { startedAt: at, endedAt: Date.now(), body: JSON.parse(body) });
        response.writeHead(200, JSON_ANSWER).end(JSON.stringify(output));
      }, index % 7);
    });
    const run = await start({
      steps: steps.map(({ uses, runs }, index) => ({
        id: `s${index}`,
        if: runs ? 'true' : 'false',
        http: {
          method: 'POST',
          url: `${receiver.url}${path}/${index}`,
          body: uses.map((use) => `\${ steps.s${use}.output.n }`),
        },
      })),
    });
    const done = await ended(run.id);
    expect(done.status, JSON.stringify(done.error)).toBe('succeeded');
    const history = await instance.services.client.workflow.getHandle(run.id).fetchHistory();
    await Worker.runReplayHistory({ workflowBundle }, history, run.id);
    // Who needs the output of a skipped step is skipped too.
    const isRun: boolean[] = [];
    for (const { uses, runs } of steps) isRun.push(runs && uses.every((use) => isRun[use]));
    expect(done.steps.map((step: Json) => step.status)).toEqual(isRun.map((ran) => (ran ? 'succeeded' : 'skipped')));
    expect([...times.keys()].sort((a, b) => a - b)).toEqual(isRun.flatMap((ran, index) => (ran ? [index] : [])));
    for (const [index, { startedAt, body }] of times) {
      const uses = steps[index]?.uses ?? [];
      expect(body).toEqual(uses);
      for (const use of uses) expect(times.get(use)?.endedAt).toBeLessThanOrEqual(startedAt);
    }
  });
  await fc.assert(check, { numRuns: SHAPES, endOnFailure: true });
});
