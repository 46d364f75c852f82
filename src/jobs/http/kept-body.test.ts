// How much of an answer's body is kept, against targets that drip, pour and break off.
import { gzipSync } from 'node:zlib';

import { expect, test } from 'vitest';

import type { startRawReceiver } from './receivers.test-helper.ts';
import { answer, get, startSender, startTarget } from './sender.test-helper.ts';

test('a body that drips beyond the timeout is an answer kept as far as it came', async () => {
  const target = await startTarget((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
    const timer = setInterval(() => socket.write('x'), 20);
    socket.on('close', () => clearInterval(timer));
  });
  const outcome = answer(await startSender().send(get(target.url), { timeoutMs: 200 }));
  expect(outcome).toMatchObject({ status: 200, truncated: true });
  expect(outcome.text).toMatch(/^x{2,12}$/);
});

test.each([
  ['closed', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc')],
  [
    'reset',
    (socket) =>
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc', () =>
        setTimeout(() => socket.resetAndDestroy(), 50),
      ),
  ],
  [
    'wrongly chunked',
    (socket) => socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n'),
  ],
] satisfies [string, Parameters<typeof startRawReceiver>[0]][])(
  'a body that is %s half-way is a truncated answer',
  async (_name, onRequest) => {
    const target = await startTarget(onRequest);
    const outcome = answer(await startSender().send(get(target.url), { timeoutMs: 2_000 }));
    expect(outcome).toMatchObject({ status: 200, truncated: true, text: 'abc' });
  },
);

test('a body that ends with the connection is complete', async () => {
  const target = await startTarget((socket) => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc'));
  const outcome = answer(await startSender().send(get(target.url), { timeoutMs: 2_000 }));
  expect(outcome).toMatchObject({ truncated: false, text: 'abc' });
});

test.each([
  [4, 'body', false],
  [3, 'bod', true],
  [0, '', true],
])('of a body of 4 bytes a limit of %i keeps %j, truncated: %s', async (maxBodyBytes, text, truncated) => {
  const target = await startTarget((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody'));
  const outcome = await startSender().send(get(target.url), { timeoutMs: 2_000, maxBodyBytes });
  expect(answer(outcome)).toMatchObject({ text, truncated });
});

test('an endless body is cut at the limit, its connection closed and memory stays flat', async () => {
  const target = await startTarget((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const pour = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', pour);
    pour();
  });
  const sender = startSender();
  const before = process.memoryUsage();
  for (let call = 0; call < 100; call += 1) {
    const outcome = answer(await sender.send(get(target.url), { timeoutMs: 5_000 }));
    expect(outcome).toMatchObject({ truncated: true });
    expect(outcome.body).toHaveLength(65_536);
  }
  const { external, heapUsed } = process.memoryUsage();
  expect(external + heapUsed - before.external - before.heapUsed).toBeLessThan(64 * 1024 * 1024);
});

test('a gzip bomb is not inflated', async () => {
  const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024));
  const target = await startTarget((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
    socket.write(bomb);
  });
  const outcome = answer(await startSender().send(get(target.url), { timeoutMs: 5_000 }));
  expect(outcome.body).toEqual(bomb.subarray(0, 65_536));
  expect(outcome.truncated).toBe(bomb.length > 65_536);
});

test('a body that looks like an interim answer is left as it is', async () => {
  const body = 'HTTP/1.1 100 Continue\r\n\r\n';
  const target = await startTarget((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`, () =>
      setTimeout(() => socket.write(body), 30),
    );
  });
  expect(answer(await startSender().send(get(target.url), { timeoutMs: 2_000 })).text).toBe(body);
});
