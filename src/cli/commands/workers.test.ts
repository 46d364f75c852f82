// Workers and queues from the command line, against the service itself.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createApi, eventually } from '../../testing/api.ts';
import { type Instance, startInstance } from '../../testing/instance.ts';
import { runCommand } from '../testing/run-command.ts';

let instance: Instance;
beforeAll(async () => {
  instance = await startInstance({ PERDURE_WORKER_ID: 'w1', PERDURE_TASK_QUEUE: `a queue/${Date.now()}` });
});
afterAll(() => instance.stop());

async function perdure(...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(argv, { url: instance.url });
  expect([exitCode, stderr.includes('rror')]).toEqual([0, false]);
  return stdout;
}

async function workerBecomes(state: RegExp): Promise<string> {
  return eventually(async () => {
    const table = await perdure('workers', '--state', 'drained', '--state', 'paused', '--state', 'available');
    return state.test(table) && table;
  });
}

test('a worker is listed, paused, resumed and drained', async () => {
  expect(await workerBecomes(/^w1 +available/m)).toContain('LAST SEEN');
  await perdure('workers', 'pause', 'w1');
  await workerBecomes(/^w1 +paused/m);
  await perdure('workers', 'resume', 'w1');
  await workerBecomes(/^w1 +available/m);
  const { taskQueue } = instance.config;
  expect(await perdure('queues')).toMatch(new RegExp(`^${taskQueue} +running +0 +- +1`, 'm'));
  expect(await perdure('queues', 'pause', taskQueue)).toMatch(/^paused +true/m);
  await workerBecomes(/^w1 +paused/m);
  expect(await perdure('queues', 'resume', taskQueue)).toMatch(/^paused +false/m);
  await workerBecomes(/^w1 +available/m);

  await perdure('workers', 'drain', 'w1');
  await workerBecomes(/^w1 +drained/m);
  expect(await perdure('workers')).toMatch(/^No workers/);
  const again = await runCommand(['workers', 'drain', 'w1'], { url: instance.url });
  expect([again.exitCode, again.stderr]).toEqual([3, expect.stringContaining('workerEnded')]);
  expect((await createApi(instance.url).get('/readyz')).status).toBe(200);
});
