// Both target helpers keep the same promises, so both pass the same tests.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import express from 'express';
import { describe, expect, test } from 'vitest';

import { createMemoryStore, type IdempotencyOptions, idempotent, idempotentHandler } from '../index.ts';

interface Target {
  call(key?: string): Promise<Response>;
  effects(): number;
}

/** Answers with the statuses given in turn, then 201; each call of the handler is one effect. */
type Build = (
  options: IdempotencyOptions,
  statuses?: number[],
  gate?: Promise<void>,
) => Promise<Target & AsyncDisposable>;

const onFetch: Build = async (options, statuses = [], gate) => {
  let effects = 0;
  const handler = idempotentHandler(async () => {
    effects++;
    await gate;
    return Response.json({ effects }, { status: statuses.shift() ?? 201, headers: { 'x-a': 'é' } });
  }, options);
  const call = (key?: string) => handler(new Request('http://t/', { method: 'POST', headers: keyHeaders(key) }));
  return { call, effects: () => effects, [Symbol.asyncDispose]: async () => undefined };
};

const onExpress: Build = async (options, statuses = [], gate) => {
  let effects = 0;
  const app = express().use(idempotent(options));
  app.post('/', async (_request, response) => {
    effects++;
    await gate;
    response
      .status(statuses.shift() ?? 201)
      .set('x-a', 'é')
      .json({ effects });
  });
  const server = await new Promise<Server>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const close = async () => void (await new Promise((resolve) => server.close(resolve)));
  return {
    call: (key) => fetch(url, { method: 'POST', headers: { ...keyHeaders(key), connection: 'close' } }),
    effects: () => effects,
    [Symbol.asyncDispose]: close,
  };
};

function keyHeaders(key?: string): Record<string, string> {
  return key === undefined ? {} : { 'idempotency-key': key };
}

describe.each([
  ['fetch handler', onFetch],
  ['Express', onExpress],
])('%s', (_name, build) => {
  test('a second request with the key gets the stored answer and no second effect', async () => {
    await using target = await build({ store: createMemoryStore() });
    const first = await target.call('job_1');
    const second = await target.call('job_1');
    expect(second.status).toBe(201);
    expect(await second.text()).toBe(await first.text());
    expect(second.headers.get('x-a')).toBe('é');
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'));
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(target.effects()).toBe(1);
  });

  test('while the first is under way the second is told to come back: 425, which a job retries by default, with Retry-After', async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    await using target = await build({ store: createMemoryStore() }, [], gate);
    const first = target.call('job_1');
    await expect.poll(() => target.effects()).toBe(1);
    const second = await target.call('job_1');
    expect(second.status).toBe(425);
    expect(second.headers.get('retry-after')).toBe('1');
    open();
    expect((await first).status).toBe(201);
    expect(target.effects()).toBe(1);
  });

  test('a failure that is worth a retry is not stored, a lasting refusal is', async () => {
    await using target = await build({ store: createMemoryStore() }, [500, 429, 422]);
    const statuses: number[] = [];
    for (let call = 0; call < 4; call++) statuses.push((await target.call('job_1')).status);
    expect(statuses).toEqual([500, 429, 422, 422]);
    expect(target.effects()).toBe(3);
  });

  test('requests without a key, or with keys of their own, are all run', async () => {
    await using target = await build({ store: createMemoryStore() });
    for (const key of [undefined, undefined, 'a', 'b']) expect((await target.call(key)).status).toBe(201);
    expect(target.effects()).toBe(4);
  });

  test('an answer that cannot be stored still goes out, and is reported', async () => {
    const store = createMemoryStore();
    const broken = { ...store, complete: () => Promise.reject(new Error('store is away')) };
    const reported: unknown[] = [];
    await using target = await build({ store: broken, onStoreError: (error) => reported.push(error) });
    expect((await target.call('job_1')).status).toBe(201);
    expect(reported).toEqual([new Error('store is away')]);
  });
});

test('a holder whose lock ran out cannot overwrite the one that took over', async () => {
  const store = createMemoryStore();
  const answer = (status: number) => ({ status, headers: {}, bodyBase64: '' });
  const first = await store.begin('k', 0);
  const second = await store.begin('k', 60);
  if (first.state !== 'new' || second.state !== 'new') throw new Error('both should hold the key in turn');
  await store.complete('k', first.token, answer(201));
  expect(await store.begin('k', 60)).toMatchObject({ state: 'inProgress' });
  await store.complete('k', second.token, answer(202));
  expect(await store.begin('k', 60)).toEqual({ state: 'done', answer: answer(202) });
});

test('the memory store forgets the oldest answers, never a key in progress', async () => {
  const store = createMemoryStore({ maxEntries: 1 });
  await store.begin('busy', 60);
  const done = await store.begin('done', 60);
  if (done.state === 'new') await store.complete('done', done.token, { status: 200, headers: {}, bodyBase64: '' });
  await store.begin('next', 60);
  expect(await store.begin('busy', 60)).toMatchObject({ state: 'inProgress' });
  expect(await store.begin('done', 60)).toMatchObject({ state: 'new' });
});
