// Runs driven again: what is kept, what is done again, and what the target is told by the key.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type Api, createApi, eventually, type Json } from '../../testing/api.ts';
import { type Instance, startInstance } from '../../testing/instance.ts';
import { type Receiver, startReceiver } from '../../testing/receiver.ts';
import { createRunTools, statuses, stepOf, unique } from '../../testing/runs.ts';

let instance: Instance;
let receiver: Receiver;
let api: Api;
const { define, start, ended, read } = createRunTools(() => api);

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
  api = createApi(instance.url);
});
afterAll(async () => {
  await instance?.stop();
  await receiver?.stop();
});

const call = (path: string, more: Json = {}) => ({
  http: { method: 'POST', url: `${receiver.url}${path}`, ...more },
  retry: { maxAttempts: 1 },
});
const keysAt = (path: string) => receiver.at(path).map(({ headers }) => headers['idempotency-key']);

/** Refuses until the returned function is called. */
function brokenAt(path: string): () => void {
  let isBroken = true;
  receiver.on(path, (_request, response) => void response.writeHead(isBroken ? 400 : 200).end());
  return () => {
    isBroken = false;
  };
}

async function letterOf(runId: string): Promise<Json> {
  const { body } = await api.get('/v1/dead-letters?kind=run');
  return body.items.find((letter: Json) => letter.runId === runId);
}

async function redrive(path: string, body: Json = {}): Promise<Json> {
  const again = await api.post(`/v1/${path}/redrive`, body);
  expect(again.status, again.text).toBe(201);
  return ended(again.body.id);
}

describe('with changes', () => {
  test('a patch of input and definition holds for what is done again, once, and the dead letter tells', async () => {
    const path = unique('/patch');
    brokenAt(`${path}/old`);
    const one = { id: 'one', ...call(`${path}/one`) };
    const two = (at: string) => ({
      id: 'two',
      dependsOn: ['one'],
      ...call(`${path}/${at}`, { body: '${ input }' }),
    });
    const run = await start({ steps: [one, two('old')], onFailure: 'stop' }, { input: { a: 1, b: 1 } });
    await ended(run.id);
    const bad = await api.post(`/v1/runs/${run.id}/redrive`, { patch: { definition: { steps: null } } });
    expect(bad.status).toBe(422);
    expect(bad.body.errors[0].pointer).toMatch(/^\/patch\/definition/);
    const patch = { input: { b: null, c: 2 }, definition: { steps: [one, two('new')] } };
    const done = await redrive(`runs/${run.id}`, { patch });
    expect(done).toMatchObject({ status: 'succeeded', redriveOf: run.id, version: 1, input: { a: 1, c: 2 } });
    expect(receiver.at(`${path}/one`)).toHaveLength(1);
    expect(receiver.at(`${path}/new`)).toMatchObject([
      { body: '{"a":1,"c":2}', headers: { 'idempotency-key': `${run.id}/two` } },
    ]);
    const letter = await letterOf(run.id);
    expect(letter).toMatchObject({ redrivenAs: done.id, stepId: 'two' });
    for (const second of [`runs/${run.id}`, `dead-letters/${letter.id}`]) {
      const refused = await api.post(`/v1/${second}/redrive`, {});
      expect([refused.status, refused.body.code]).toEqual([409, 'alreadyRedriven']);
    }
    expect(await read(run.id)).toMatchObject({ status: 'failed', redrivenAs: done.id });
  });

  test('another version, from a step that had succeeded', async () => {
    const path = unique('/version');
    const steps = (tag: string) => [
      { id: 'one', ...call(`${path}/one`) },
      { id: 'two', dependsOn: ['one'], ...call(`${path}/two-${tag}`) },
      { id: 'three', dependsOn: ['two'], ...call(`${path}/three-${tag}`) },
    ];
    brokenAt(`${path}/three-v1`);
    const name = await define({ steps: steps('v1'), onFailure: 'stop' });
    const { body: run } = await api.post(`/v1/workflows/${name}/runs`, {});
    await ended(run.id);
    await define({ steps: steps('v2'), onFailure: 'stop' }, name);
    for (const [body, pointer] of [
      [{ version: 9 }, '/version'],
      [{ fromStep: 'nowhere' }, '/fromStep'],
    ] as const) {
      const refused = await api.post(`/v1/runs/${run.id}/redrive`, body);
      expect([refused.status, refused.body.errors?.[0]?.pointer]).toEqual([422, pointer]);
    }
    const done = await redrive(`runs/${run.id}`, { version: 2, fromStep: 'two' });
    expect(done).toMatchObject({ status: 'succeeded', workflow: name, version: 2 });
    expect(receiver.at(`${path}/one`)).toHaveLength(1);
    expect(keysAt(`${path}/two-v2`)).toEqual([`${run.id}/two`]);
    expect(keysAt(`${path}/three-v2`)).toEqual([`${run.id}/three`]);
  });
});

describe('keys', () => {
  test('stay those of the first run, are new with newKey, and then stay those', async () => {
    const path = unique('/keys');
    const repair = brokenAt(`${path}/two`);
    const first = await start({
      steps: [
        { id: 'one', ...call(`${path}/one`), compensate: call(`${path}/undo`) },
        { id: 'two', dependsOn: ['one'], ...call(`${path}/two`) },
      ],
    });
    await ended(first.id);
    const second = await redrive(`dead-letters/${(await letterOf(first.id)).id}`);
    const third = await redrive(`dead-letters/${(await letterOf(second.id)).id}`, { newKey: true });
    repair();
    const fourth = await redrive(`dead-letters/${(await letterOf(third.id)).id}`, {});
    expect(fourth).toMatchObject({ status: 'succeeded', redriveOf: third.id });
    expect(keysAt(`${path}/two`)).toEqual([first, first, third, third].map(({ id }) => `${id}/two`));
    // Undone each time, so it is never the same charge again; each is undone under the key that goes with it.
    expect(keysAt(`${path}/one`)).toEqual([first, second, third, fourth].map(({ id }) => `${id}/one`));
    expect(keysAt(`${path}/undo`)).toEqual([first, second, third].map(({ id }) => `${id}/one/compensate`));
  });
});

describe('runs that are steps', () => {
  const inner = (path: string) => ({
    input: {},
    steps: [
      { id: 'x', ...call(`${path}/x/\${ input }`) },
      { id: 'y', dependsOn: ['x'], ...call(`${path}/y/\${ input }`) },
    ],
    onFailure: 'stop',
    output: '${ input }',
  });

  test('are kept where they succeeded, as steps and as items, and go on where they failed', async () => {
    const path = unique('/inner');
    const repair = brokenAt(`${path}/y/b`);
    const name = await define(inner(path));
    const run = await start({
      steps: [
        { id: 'whole', workflow: { name, input: 'w' } },
        {
          ...{ id: 'each', dependsOn: ['whole'], forEach: ['a', 'b', 'c'], concurrency: 3 },
          workflow: { name, input: '${ item }' },
        },
      ],
      onFailure: 'stop',
      output: '${ steps.each.output }',
    });
    const failed = await ended(run.id);
    expect(statuses(failed)).toEqual({ whole: 'succeeded', each: 'failed' });
    expect(stepOf(failed, 'each').items).toMatchObject({ succeeded: 2, failed: 1 });
    repair();
    const done = await redrive(`runs/${run.id}`, { fromStep: 'each' });
    expect(done, JSON.stringify(done)).toMatchObject({ status: 'succeeded', output: ['a', 'b', 'c'] });
    for (const item of ['w', 'a', 'c']) expect(receiver.at(`${path}/y/${item}`), item).toHaveLength(1);
    expect(receiver.at(`${path}/x/b`)).toHaveLength(1);
    expect(new Set(keysAt(`${path}/y/b`)).size).toBe(1);
    expect(receiver.at(`${path}/y/b`)).toHaveLength(2);
    expect(stepOf(done, 'each').items).toMatchObject({ total: 3, succeeded: 3, failed: 0 });
    const { body: items } = await api.get(`/v1/runs/${done.id}/steps/each/items`);
    expect(items.items).toMatchObject(['a', 'b', 'c'].map((output) => ({ status: 'succeeded', output })));
    const kept = await read(stepOf(done, 'whole').childRunId);
    expect(kept).toMatchObject({ status: 'succeeded', parentRunId: done.id, output: 'w' });
    expect(statuses(kept)).toEqual({ x: 'succeeded', y: 'succeeded' });
  });

  test('go on where they failed also when a redrive in between did not get to them', async () => {
    const path = unique('/between');
    const repairInner = brokenAt(`${path}/y`);
    let isGateOpen = true;
    receiver.on(`${path}/gate`, (_request, response) => void response.writeHead(isGateOpen ? 200 : 400).end());
    const name = await define(inner(path));
    const run = await start({
      steps: [
        { id: 'gate', ...call(`${path}/gate`) },
        { id: 'below', dependsOn: ['gate'], workflow: { name, input: 'z' } },
      ],
      onFailure: 'stop',
    });
    await ended(run.id);
    isGateOpen = false;
    const second = await redrive(`runs/${run.id}`, { fromStep: 'gate' });
    expect(statuses(second)).toEqual({ gate: 'failed', below: 'skipped' });
    isGateOpen = true;
    repairInner();
    expect(await redrive(`runs/${second.id}`)).toMatchObject({ status: 'succeeded' });
    expect(receiver.at(`${path}/x/z`)).toHaveLength(1);
    expect(new Set(keysAt(`${path}/y/z`)).size).toBe(1);
  });

  test('one that is canceled alone is a step that failed', async () => {
    const name = await define({ steps: [{ id: 'hold', waitFor: { signal: 'never' } }] });
    const run = await start({ steps: [{ id: 'below', workflow: { name } }] });
    const { childRunId } = await eventually(async () => {
      const below = stepOf(await read(run.id), 'below');
      return below.childRunId && (await read(below.childRunId)).status === 'waiting' ? below : null;
    });
    expect((await api.post(`/v1/runs/${childRunId}/cancel`)).status).toBe(200);
    expect(await ended(run.id)).toMatchObject({ status: 'failed', error: { code: 'childFailed' } });
  });
});

describe('items', () => {
  test('are made anew where what they are made from is made anew', async () => {
    const path = unique('/anew');
    const lists = [
      ['a', 'b'],
      ['c', 'd'],
    ];
    receiver.on(`${path}/list`, (_request, response, nth) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(lists[nth - 1]));
    });
    brokenAt(`${path}/item/b`);
    const run = await start({
      steps: [
        { id: 'list', ...call(`${path}/list`) },
        { id: 'each', forEach: '${ steps.list.output }', ...call(`${path}/item/\${ item }`), onError: 'fail' },
      ],
      onFailure: 'stop',
    });
    await ended(run.id);
    const done = await redrive(`runs/${run.id}`, { fromStep: 'list' });
    expect(done).toMatchObject({ status: 'succeeded' });
    expect(receiver.at(`${path}/item/c`)).toHaveLength(1);
    expect(receiver.at(`${path}/item/d`)).toHaveLength(1);
  });
});
