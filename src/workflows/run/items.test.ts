// Items of a `forEach` that fail: each is listed, counted and null in the output, whatever it failed of.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type Api, createApi, type Json } from '../../testing/api.ts';
import { type Instance, startInstance } from '../../testing/instance.ts';
import { answer, type Receiver, startReceiver } from '../../testing/receiver.ts';
import { createRunTools, JSON_ANSWER, stepOf, unique } from '../../testing/runs.ts';

let instance: Instance;
let receiver: Receiver;
let api: Api;
const { define, start, ended } = createRunTools(() => api);

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
  api = createApi(instance.url);
});
afterAll(async () => {
  await instance?.stop();
  await receiver?.stop();
});

const goOn = { id: 't', onError: 'continue' };

async function stepAndItems(step: Json, fields: Json = {}): Promise<{ run: Json; step: Json; items: Json[] }> {
  const run = await ended((await start({ steps: [step] }, fields)).id);
  return { run, step: stepOf(run, 't'), items: await itemsOf(run.id) };
}

async function itemsOf(runId: string): Promise<Json[]> {
  const { body } = await api.get(`/v1/runs/${runId}/steps/t/items?limit=200`);
  return body.items;
}

describe('values', () => {
  test('of which one fails give null in its place', async () => {
    const { step, items } = await stepAndItems({ ...goOn, forEach: [1, 0, 2], transform: '${ 10 / item }' });
    expect(step).toMatchObject({ status: 'succeeded', output: [10, null, 5], error: null });
    expect(step.items).toEqual({ total: 3, running: 0, succeeded: 2, failed: 1 });
    expect(items).toMatchObject([
      { index: 0, status: 'succeeded', output: 10, error: null },
      { index: 1, status: 'failed', output: null, error: { code: 'expressionFailed' } },
      { index: 2, status: 'succeeded', output: 5, error: null },
    ]);
  });

  test('fail their step at the first that fails, which is listed', async () => {
    const { run, step, items } = await stepAndItems({ id: 't', forEach: [1, 0, 0], transform: '${ 10 / item }' });
    expect(run).toMatchObject({ status: 'failed', error: { code: 'expressionFailed' } });
    expect(step).toMatchObject({ status: 'failed', output: null, error: { code: 'expressionFailed' } });
    expect(step.items).toEqual({ total: 3, running: 0, succeeded: 0, failed: 1 });
    expect(items).toMatchObject([{ index: 1, status: 'failed', error: { code: 'expressionFailed' } }]);
  });

  test('have 64 KiB each: their list may be longer, and later steps see all of it', async () => {
    const list = Array.from({ length: 100 }, (_item, index) => index);
    const definition = {
      steps: [
        { id: 't', forEach: '${ input.list }', transform: '${ input.text + string(item) }' },
        { id: 'last', transform: '${ steps.t.output[99].endsWith("x99") && size(steps.t.output) == 100 }' },
      ],
      output: '${ steps.last.output }',
    };
    const run = await ended((await start(definition, { input: { list, text: 'x'.repeat(10_240) } })).id);
    expect(run.error).toBeNull();
    expect(run.output).toBe(true);
    const step = stepOf(run, 't');
    expect(step.output.map((text: string) => text.slice(10_240))).toEqual(list.map(String));
    expect(step.items).toEqual({ total: 100, running: 0, succeeded: 100, failed: 0 });
    expect((await itemsOf(run.id)).map(({ status }) => status)).toEqual(list.map(() => 'succeeded'));
    const { body: page } = await api.get(`/v1/runs/${run.id}/steps/t/items?limit=60`);
    const { body: rest } = await api.get(`/v1/runs/${run.id}/steps/t/items?limit=60&cursor=${page.nextCursor}`);
    expect(rest.items.map(({ index }: Json) => index)).toEqual(list.slice(60));
  });

  test('of which one is above 64 KiB, or that are above 8 MiB together, are too large', async () => {
    const text = 'x'.repeat(40_000);
    const transform = '${ item == 1 ? input.text + input.text : "" }';
    const one = await stepAndItems({ ...goOn, forEach: [0, 1, 2], transform }, { input: { text } });
    expect(one.step).toMatchObject({ status: 'succeeded', output: ['', null, ''], items: { succeeded: 2, failed: 1 } });
    expect(one.items[1]).toMatchObject({ status: 'failed', output: null, error: { code: 'outputTooLarge' } });
    const list = Array.from({ length: 220 }, (_item, index) => index);
    const all = await stepAndItems(
      { id: 't', forEach: '${ input.list }', transform: '${ input.text }' },
      { input: { list, text } },
    );
    expect(all.step).toMatchObject({ status: 'failed', error: { code: 'outputTooLarge' }, output: null });
    expect(all.step.items).toEqual({ total: 220, running: 0, succeeded: 0, failed: 0 });
    expect(all.items).toEqual([]);
  });

  test('that a redrive keeps are still told apart', async () => {
    const path = unique('/later');
    receiver.on(path, (_request, response, nth) => void response.writeHead(nth === 1 ? 400 : 200).end());
    const later = { id: 'later', dependsOn: ['t'], http: { url: `${receiver.url}${path}` } };
    const first = await start({ steps: [{ ...goOn, forEach: [1, 0], transform: '${ 10 / item }' }, later] });
    expect(await ended(first.id)).toMatchObject({ status: 'failed' });
    const { body: again } = await api.post(`/v1/runs/${first.id}/redrive`, {}, { prefer: 'wait=20' });
    expect(again).toMatchObject({ status: 'succeeded' });
    expect(stepOf(again, 't')).toMatchObject({ output: [10, null], items: { succeeded: 1, failed: 1 } });
    expect((await itemsOf(again.id)).map(({ status }) => status)).toEqual(['succeeded', 'failed']);
  });
});

describe('calls', () => {
  const ok = (path: string, more: Json = {}) => ({ url: `${receiver.url}${path}?i=\${ item }`, ...more });

  test('whose expressions fail are listed and counted', async () => {
    const http = ok('/ok', { headers: { 'x-n': '${ string(10 / item) }' } });
    const { run, step, items } = await stepAndItems({ ...goOn, forEach: [1, 0, 2], http });
    expect(step).toMatchObject({ status: 'succeeded', output: [{ ok: true }, null, { ok: true }] });
    expect(step.items).toEqual({ total: 3, running: 0, succeeded: 2, failed: 1 });
    expect(items).toMatchObject([
      { index: 0, status: 'succeeded', attempts: 1 },
      { index: 1, status: 'failed', attempts: 0, output: null, error: { code: 'expressionFailed' } },
      { index: 2, status: 'succeeded', attempts: 1 },
    ]);
    expect((await api.get(`/v1/jobs/${encodeURIComponent(`${run.id}/t/1`)}`)).status).toBe(404);
    expect((await api.get('/v1/jobs?status=failed')).body.items).toEqual([]);
  });

  test('whose expressions fail in a chunk are listed and counted', async () => {
    const list = Array.from({ length: 120 }, (_item, index) => index);
    const fields = { input: list };
    const http = ok('/ok', { headers: { 'x-n': '${ string(10 / (item - 7)) }' } });
    const { step, items } = await stepAndItems({ ...goOn, forEach: '${ input }', concurrency: 20, http }, fields);
    expect(step.items).toEqual({ total: 120, running: 0, succeeded: 119, failed: 1 });
    expect(items).toHaveLength(120);
    expect(items[7]).toMatchObject({ index: 7, status: 'failed', error: { code: 'expressionFailed' } });
  });

  test('that are refused are listed and counted', async () => {
    const http = ok('/ok', { headers: { 'x-a': '${ item }' } });
    const { step, items } = await stepAndItems({ ...goOn, forEach: ['a', 'a\r\nHost: evil'], http });
    expect(step.items).toEqual({ total: 2, running: 0, succeeded: 1, failed: 1 });
    expect(items[1]).toMatchObject({ index: 1, status: 'failed', attempts: 0, error: { code: 'validationFailed' } });
  });

  test('that answer too much have failed, and a redrive makes them again', async () => {
    const path = unique('/large');
    const large = JSON.stringify('x'.repeat(70_000));
    receiver.on(`${path}?i=1`, (_request, response, nth) => {
      response.writeHead(200, JSON_ANSWER).end(nth === 1 ? large : '"small"');
    });
    const { run, step, items } = await stepAndItems({ id: 't', forEach: [0, 1], concurrency: 1, http: ok(path) });
    expect(step).toMatchObject({ status: 'failed', error: { code: 'itemFailed', detail: 'The output is too large' } });
    expect(step.items).toEqual({ total: 2, running: 0, succeeded: 1, failed: 1 });
    expect(items[1]).toMatchObject({ status: 'failed', output: null, error: { code: 'outputTooLarge' }, attempts: 1 });
    const { body: again } = await api.post(`/v1/runs/${run.id}/redrive`, {}, { prefer: 'wait=20' });
    expect(stepOf(again, 't')).toMatchObject({ status: 'succeeded', output: [{ ok: true }, 'small'] });
    expect(receiver.at(`${path}?i=0`)).toHaveLength(1);
  });

  test('that fail their step before anything was sent give it their own error', async () => {
    const path = unique('/bad');
    receiver.on(`${path}?i=0`, answer(400));
    const http = ok(path, { headers: { 'x-n': '${ string(10 / item) }' } });
    const { step, items } = await stepAndItems({ id: 't', forEach: [1, 0, 2], concurrency: 1, http });
    expect(step.error).toMatchObject({ title: 'Item 1 of 3 failed', detail: 'An expression could not be evaluated' });
    expect(items.map(({ index, status }) => [index, status])).toEqual([
      [0, 'succeeded'],
      [1, 'failed'],
    ]);
  });
});

test('runs that cannot be made are listed and counted', async () => {
  const name = await define({ input: { schema: { type: 'integer' } }, steps: [{ id: 'a', transform: '${ input }' }] });
  const workflow = { name, input: '${ item }' };
  const { step, items } = await stepAndItems({ ...goOn, forEach: [1, 'two'], workflow });
  expect(step.items).toEqual({ total: 2, running: 0, succeeded: 1, failed: 1 });
  expect(items[1]).toMatchObject({ index: 1, status: 'failed', output: null, error: { code: 'inputInvalid' } });
});
