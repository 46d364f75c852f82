// Many items in chunks of their own: paused, resumed, canceled; and a run accepted while Temporal was away.
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { type Api, createApi, eventually, type Json } from '../../testing/api.ts';
import { type Instance, startInstance } from '../../testing/instance.ts';
import { type Receiver, startReceiver } from '../../testing/receiver.ts';
import { createRunTools, stepOf, unique } from '../../testing/runs.ts';
import { startTcpProxy, type TcpProxy } from '../../testing/tcp-proxy.ts';

const ITEMS = 130;
const AT_ONCE = 5;

let instance: Instance;
let receiver: Receiver;
let temporal: TcpProxy;
let api: Api;
const { start, ended, read } = createRunTools(() => api);

beforeAll(async () => {
  const [host = '', port] = inject('temporalAddress').split(':');
  temporal = await startTcpProxy(host, Number(port));
  [instance, receiver] = await Promise.all([startInstance({ TEMPORAL_ADDRESS: temporal.address }), startReceiver()]);
  api = createApi(instance.url);
});
afterAll(async () => {
  temporal?.up();
  await instance?.stop();
  await receiver?.stop();
  await temporal?.stop();
});

const startEach = (path: string, more: Json = {}) =>
  start(
    {
      steps: [
        {
          ...{ id: 'each', forEach: '${ input }', concurrency: AT_ONCE },
          http: { url: `${receiver.url}${path}?i=\${ item }`, ...more },
        },
      ],
    },
    { input: Array.from({ length: ITEMS }, (_item, index) => index) },
  );
const callsTo = (path: string) => receiver.received.filter((one) => one.path.startsWith(path));
const each = async (id: string) => stepOf(await read(id), 'each');

describe('items in chunks', () => {
  test('rest while their run is paused, and none is left out or called twice after it', async () => {
    const path = unique('/pause');
    receiver.on(path, (_request, response) => void setTimeout(() => response.end('{}'), 20));
    const run = await startEach(path);
    await eventually(() => callsTo(path).length >= 2 * AT_ONCE);
    expect((await api.post(`/v1/runs/${run.id}/pause`)).status).toBe(200);
    const another = async () => ended((await start({ steps: [{ id: 'a', wait: { for: '300ms' } }] })).id);
    await eventually(async () => {
      const before = callsTo(path).length;
      await another();
      return (await each(run.id)).items.running === 0 && callsTo(path).length === before;
    });
    const before = callsTo(path).length;
    expect(before).toBeLessThan(ITEMS);
    await another();
    expect(callsTo(path)).toHaveLength(before);
    expect((await read(run.id)).status).toBe('paused');
    await api.post(`/v1/runs/${run.id}/resume`);
    expect(await ended(run.id)).toMatchObject({ status: 'succeeded' });
    expect(new Set(callsTo(path).map((one) => one.path)).size).toBe(ITEMS);
    expect(callsTo(path)).toHaveLength(ITEMS);
    const { items, startedAt, finishedAt } = await each(run.id);
    expect(items).toEqual({ total: ITEMS, running: 0, succeeded: ITEMS, failed: 0 });
    expect(Date.parse(finishedAt)).toBeGreaterThan(Date.parse(startedAt));
  });

  test('do not begin where their run was paused before its first chunk', async () => {
    const path = unique('/early');
    const run = await startEach(path);
    // Before the workflow has heard of it, more likely than not: whichever comes first, nothing is lost.
    await api.post(`/v1/runs/${run.id}/pause`);
    await eventually(async () => {
      const before = callsTo(path).length;
      await ended((await start({ steps: [{ id: 'a', wait: { for: '300ms' } }] })).id);
      return callsTo(path).length === before && callsTo(path).length < ITEMS;
    });
    await api.post(`/v1/runs/${run.id}/resume`);
    expect(await ended(run.id)).toMatchObject({ status: 'succeeded' });
    expect(callsTo(path)).toHaveLength(ITEMS);
  });

  test('are cut off with their run: calls under way are aborted, and no other begins', async () => {
    const path = unique('/cancel');
    let aborted = 0;
    receiver.on(path, (_request, response) => void response.on('close', () => (aborted += 1)));
    const run = await startEach(path, { timeout: '60s' });
    await eventually(() => callsTo(path).length === AT_ONCE);
    expect((await api.post(`/v1/runs/${run.id}/cancel`)).body).toMatchObject({ status: 'canceled' });
    await eventually(() => aborted === AT_ONCE, { what: 'the calls aborted' });
    const chunk = instance.services.client.workflow.getHandle(`${run.id}/each/0-${ITEMS - 1}`);
    await eventually(async () => (await chunk.describe()).status.name !== 'RUNNING');
    expect(callsTo(path)).toHaveLength(AT_ONCE);
    const { items, status } = await each(run.id);
    expect(status).toBe('canceled');
    expect(items).toMatchObject({ running: 0, succeeded: 0, failed: AT_ONCE });
  });
});

test('a run accepted while Temporal is away is started by the relay', async () => {
  const path = unique('/lost');
  temporal.down();
  const run = await start({ steps: [{ id: 'a', http: { url: `${receiver.url}${path}` } }] });
  expect(run).toMatchObject({ status: 'queued' });
  // Whoever accepted it has given up by now.
  await instance.services.runStarter.drain();
  temporal.up();
  await eventually(async () => (await read(run.id)).status === 'succeeded', { timeoutMs: 60_000 });
  expect(receiver.at(path)).toHaveLength(1);
});
