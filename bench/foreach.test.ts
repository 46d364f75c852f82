// A `forEach` over 10,000 items: it ends, no history comes near its limit, and memory stays bounded.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createApi, eventually, type Json } from '../src/testing/api.ts';
import { type Instance, startInstance } from '../src/testing/instance.ts';
import { type Receiver, startReceiver } from '../src/testing/receiver.ts';

const ITEMS = 10_000;
const MAX_EVENTS = 20_000;
const MAX_RSS_MIB = 500;

let instance: Instance;
let receiver: Receiver;

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
});
afterAll(async () => {
  await instance?.stop();
  await receiver?.stop();
});

test(`${ITEMS} items`, { timeout: 240_000 }, async () => {
  const api = createApi(instance.url);
  const definition = {
    steps: [{ id: 'each', forEach: '${ input.items }', concurrency: 100, http: { url: `${receiver.url}/\${ item }` } }],
  };
  const input = { items: Array.from({ length: ITEMS }, (_item, index) => index) };
  const startedAt = performance.now();
  const { body: run } = await api.post('/v1/runs', { definition, input });
  let rssMib = 0;
  const done: Json = await eventually(
    async () => {
      rssMib = Math.max(rssMib, process.memoryUsage().rss / 2 ** 20);
      const { body } = await api.get(`/v1/runs/${run.id}?wait=2s`);
      return body.finishedAt && body;
    },
    { timeoutMs: 230_000 },
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const events = await Promise.all([
    historyLength(run.id),
    ...Array.from({ length: ITEMS / 500 }, (_chunk, at) => historyLength(`${run.id}/each/${at * 500}-${at * 500 + 499}`)),
  ]);
  console.log({ seconds: Math.round(seconds), itemsPerSecond: Math.round(ITEMS / seconds), rssMib: Math.round(rssMib), events });
  expect(done.error).toBeNull();
  expect(done.status).toBe('succeeded');
  expect(done.steps[0].items).toMatchObject({ total: ITEMS, succeeded: ITEMS, failed: 0 });
  expect(receiver.received).toHaveLength(ITEMS);
  expect(Math.max(...events)).toBeLessThan(MAX_EVENTS);
  expect(rssMib).toBeLessThan(MAX_RSS_MIB);
});

async function historyLength(workflowId: string): Promise<number> {
  const { historyLength: length } = await instance.services.client.workflow.getHandle(workflowId).describe();
  return length;
}
