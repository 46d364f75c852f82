// Any shape of steps: none starts before what it depends on has ended, each runs once, outputs arrive as given.
import { join } from 'node:path';

import { Worker } from '@temporalio/worker';
import fc from 'fast-check';
import { afterAll, beforeAll, inject, test } from 'vitest';

import { type Api, createApi } from '../../testing/api.ts';
import { type Instance, startInstance } from '../../testing/instance.ts';
import { type Receiver, startReceiver } from '../../testing/receiver.ts';
import { createRunTools } from '../../testing/runs.ts';
import { shapesOf, underTest } from '../../testing/shapes.ts';

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

test(`${SHAPES} random shapes of ${STEPS} steps`, { timeout: 120_000 }, async () => {
  const run = fc.asyncProperty(shapesOf(STEPS), async (shape) => {
    const { definition, check } = underTest(shape, receiver);
    const { id } = await start(definition);
    check(await ended(id));
    const history = await instance.services.client.workflow.getHandle(id).fetchHistory();
    await Worker.runReplayHistory({ workflowBundle }, history, id);
  });
  await fc.assert(run, { numRuns: SHAPES, endOnFailure: true });
});
