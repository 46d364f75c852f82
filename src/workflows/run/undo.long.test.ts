// Very many steps undone: no history grows long, and nothing is undone twice.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Api, createApi } from '../../testing/api.ts';
import { type Instance, startInstance } from '../../testing/instance.ts';
import { answer, type Receiver, startReceiver } from '../../testing/receiver.ts';
import { createRunTools, unique } from '../../testing/runs.ts';

const STEPS = 400;
const MAX_EVENTS = 10_000;

let instance: Instance;
let receiver: Receiver;
let api: Api;
const { start, read } = createRunTools(() => api);

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
  api = createApi(instance.url);
});
afterAll(async () => {
  await instance?.stop();
  await receiver?.stop();
});

test(`${STEPS} steps are undone in reverse order, over more than one execution`, { timeout: 600_000 }, async () => {
  const path = unique('/undo');
  receiver.on('/gone', answer(410));
  const ids = Array.from({ length: STEPS }, (_step, index) => `s${index}`);
  const run = await start({
    steps: [
      ...ids.map((id) => ({
        ...{ id, transform: id },
        compensate: { http: { url: `${receiver.url}${path}/${id}` }, delivery: 'atMostOnce' },
      })),
      { id: 'boom', dependsOn: ids, http: { url: `${receiver.url}/gone` } },
    ],
  });
  const { client, runStarter } = instance.services;
  await runStarter.drain();
  const { runId: firstExecution } = await client.workflow.getHandle(run.id).describe();
  for (let shown = await read(run.id); shown.finishedAt === null;) {
    shown = (await api.get(`/v1/runs/${run.id}?wait=60s`)).body;
  }
  const done = await read(run.id);
  expect(done).toMatchObject({ status: 'failed', error: { code: 'httpStatus' } });
  expect(done.steps.filter(({ status }: { status: string }) => status === 'compensated')).toHaveLength(STEPS);
  const calls = receiver.received.filter((one) => one.path.startsWith(path)).map((one) => one.path);
  expect(calls).toEqual(ids.map((id) => `${path}/${id}`).reverse());
  const handle = client.workflow.getHandle(run.id);
  expect((await handle.describe()).runId).not.toBe(firstExecution);
  for (const execution of [firstExecution, (await handle.describe()).runId]) {
    const { historyLength } = await client.workflow.getHandle(run.id, execution).describe();
    expect(historyLength).toBeLessThan(MAX_EVENTS);
  }
});
