// What is proved about a call, against targets that break off at every point.
import { expect, test } from 'vitest';

import { OK, startRawReceiver } from './receivers.test-helper.ts';
import type { OutgoingRequest } from './send.ts';
import { answer, get, startSender, startTarget } from './sender.test-helper.ts';

const post = (url: string): OutgoingRequest => ({ ...get(url), method: 'POST', body: 'payload' });

test('an answer has its status, lower-cased joined headers, body and address', async () => {
  const target = await startTarget((socket) =>
    socket.write(
      'HTTP/1.1 418 Teapot\r\nX-A: 1\r\nx-a: 2\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 3\r\n\r\nabc',
    ),
  );
  const outcome = answer(await startSender().send(post(target.url), { timeoutMs: 2_000 }));
  expect(outcome).toMatchObject({ status: 418, text: 'abc', truncated: false, targetAddress: '127.0.0.1' });
  expect(outcome.headers).toEqual({ 'x-a': '1, 2', 'set-cookie': 'a, b', 'content-length': '3' });
  expect(target.received[0]).toMatch(/^POST \/ HTTP\/1.1\r\n/);
  expect(target.received[0]).toMatch(/accept-encoding: identity\r\n/);
  expect(target.received[0]).toMatch(/content-length: 7\r\n\r\npayload$/);
});

test('the accept-encoding of the caller stands', async () => {
  const target = await startTarget((socket) => socket.write(OK));
  await startSender().send({ ...get(target.url), headers: { 'Accept-Encoding': 'br' } }, { timeoutMs: 2_000 });
  expect(target.received[0]).toMatch(/Accept-Encoding: br\r\n/);
  expect(target.received[0]).not.toMatch(/identity/);
});

test('a refused connection is not sent', async () => {
  const target = await startRawReceiver((socket) => socket.end());
  await target.close();
  const outcome = await startSender().send(get(target.url), { timeoutMs: 2_000 });
  expect(outcome).toMatchObject({ kind: 'notSent', code: 'network' });
  expect(outcome).toHaveProperty('detail', expect.stringContaining('ECONNREFUSED'));
});

test('a name that does not resolve is not sent', async () => {
  const resolve = async () => Promise.reject(new Error('getaddrinfo ENOTFOUND nowhere.example'));
  const outcome = await startSender({ resolve }).send(get('http://nowhere.example/'), { timeoutMs: 2_000 });
  expect(outcome).toMatchObject({ kind: 'notSent', code: 'network' });
  expect(outcome).toHaveProperty('detail', expect.stringContaining('ENOTFOUND'));
});

test('a name server that hangs is a timeout, not sent', async () => {
  const resolve = async () => new Promise<never>(() => undefined);
  const outcome = await startSender({ resolve }).send(get('http://slow.example/'), { timeoutMs: 50 });
  expect(outcome).toMatchObject({ kind: 'notSent', code: 'timeout' });
});

test('a failed TLS handshake is not sent', async () => {
  const target = await startTarget(
    () => undefined,
    (socket) => socket.end('this is not TLS'),
  );
  const outcome = await startSender().send(get(target.url.replace('http:', 'https:')), { timeoutMs: 2_000 });
  expect(outcome).toMatchObject({ kind: 'notSent', code: 'network' });
});

test('a TLS handshake that hangs is a timeout, not sent', async () => {
  const target = await startTarget(() => undefined);
  const outcome = await startSender().send(get(target.url.replace('http:', 'https:')), { timeoutMs: 100 });
  expect(outcome).toMatchObject({ kind: 'notSent', code: 'timeout' });
});

test('a URL that is not valid, a refused method and a refused header are not sent', async () => {
  const target = await startTarget((socket) => socket.write(OK));
  const sender = startSender();
  const requests: [OutgoingRequest, RegExp][] = [
    [get('ftp://127.0.0.1/'), /begins with http/],
    [{ ...get(target.url), method: 'CONNECT' }, /method/],
    [{ ...get(target.url), headers: { 'X-A': 'a\r\nb' } }, /X-A header/],
  ];
  for (const [request, detail] of requests) {
    const outcome = await sender.send(request, { timeoutMs: 1_000 });
    expect(outcome).toMatchObject({ kind: 'notSent', code: 'network' });
    expect(outcome).toHaveProperty('detail', expect.stringMatching(detail));
  }
  expect(target.received).toEqual([]);
});

test.each([
  ['closes without a reply', (socket) => socket.end()],
  ['resets the connection', (socket) => socket.resetAndDestroy()],
  ['answers garbage', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')],
  ['breaks off inside the headers', (socket) => socket.end('HTTP/1.1 200 OK\r\nx-a: ')],
  ['answers HTTP/0.9 style', (socket) => socket.end('<html></html>')],
  ['floods the headers', (socket) => socket.write(`HTTP/1.1 200 OK\r\n${'x-a: 0123456789\r\n'.repeat(20_000)}`)],
  ['switches protocols unasked', (s) => s.write('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')],
] satisfies [string, Parameters<typeof startRawReceiver>[0]][])(
  'a target that %s after the request is unknown',
  async (_name, onRequest) => {
    const target = await startTarget(onRequest);
    const outcome = await startSender().send(post(target.url), { timeoutMs: 2_000 });
    expect(outcome).toMatchObject({ kind: 'unknown', code: 'network' });
    expect(target.received).toHaveLength(1);
  },
);

test('a connection reset as soon as it is accepted is never an answer, and the target is called once', async () => {
  const target = await startTarget(
    () => undefined,
    (socket) => socket.resetAndDestroy(),
  );
  const outcome = await startSender().send(get(target.url), { timeoutMs: 2_000 });
  expect(['notSent', 'unknown']).toContain(outcome.kind);
  expect(target.received).toHaveLength(1);
});

test('a target that hangs is an unknown timeout, its connection is closed and not opened again', async () => {
  let closed = () => {};
  const hungUp = new Promise<void>((resolve) => (closed = resolve));
  const target = await startTarget((socket) => void socket.on('close', () => closed()));
  const outcome = await startSender().send(get(target.url), { timeoutMs: 100 });
  expect(outcome).toMatchObject({ kind: 'unknown', code: 'timeout' });
  expect(outcome.durationMs).toBeGreaterThanOrEqual(95);
  expect(outcome.durationMs).toBeLessThan(1_500);
  await hungUp;
  await new Promise(setImmediate);
  expect(target.received).toHaveLength(1);
});

test.each(['100 Continue', '102 Processing', '103 Early Hints'])(
  'a %s before the answer is skipped',
  async (status) => {
    const interim = `HTTP/1.1 ${status}\r\n\r\n`;
    const together = await startTarget((socket) => socket.write(interim + OK));
    const apart = await startTarget((socket) => socket.write(interim, () => setTimeout(() => socket.write(OK), 30)));
    const sender = startSender();
    for (const target of [together, apart, together, apart]) {
      expect(answer(await sender.send(post(target.url), { timeoutMs: 2_000 }))).toMatchObject({
        status: 200,
        text: 'ok',
      });
    }
    expect(together.received).toHaveLength(1);
  },
);

test('endless interim answers end with the timeout', async () => {
  const target = await startTarget((socket) => {
    const timer = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\nx-a: b\r\n\r\n'.repeat(100)), 5);
    socket.on('close', () => clearInterval(timer));
  });
  const outcome = await startSender().send(get(target.url), { timeoutMs: 150 });
  expect(outcome).toMatchObject({ kind: 'unknown', code: 'timeout' });
});

test('a canceled call is not sent before, unknown after, and answered once the status was seen', async () => {
  const sender = startSender();
  const early = new AbortController();
  early.abort();
  const untouched = await startTarget((socket) => socket.write(OK));
  const outcomeBefore = await sender.send(get(untouched.url), { timeoutMs: 1_000, signal: early.signal });
  expect(outcomeBefore).toMatchObject({ kind: 'notSent', code: 'canceled' });
  expect(untouched.received).toEqual([]);

  const late = new AbortController();
  const hanging = await startTarget(() => late.abort());
  const options = { timeoutMs: 5_000, signal: late.signal };
  expect(await sender.send(get(hanging.url), options)).toMatchObject({ kind: 'unknown', code: 'canceled' });

  const inBody = new AbortController();
  const dripping = await startTarget((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc', () => setTimeout(() => inBody.abort(), 50));
  });
  const outcome = await sender.send(get(dripping.url), { timeoutMs: 5_000, signal: inBody.signal });
  expect(answer(outcome)).toMatchObject({ truncated: true, text: 'abc' });
});

test('closing cuts the calls under way, and later calls are not sent', async () => {
  const sender = startSender();
  let arrived = () => {};
  const arrival = new Promise<void>((resolve) => (arrived = resolve));
  const target = await startTarget(() => arrived());
  const call = sender.send(get(target.url), { timeoutMs: 10_000 });
  await arrival;
  await sender.close();
  expect(await call).toMatchObject({ kind: 'unknown', code: 'canceled' });
  expect(await sender.send(get(target.url), { timeoutMs: 1_000 })).toMatchObject({ kind: 'notSent', code: 'canceled' });
});

test('concurrent calls to one origin are each judged by their own bytes', async () => {
  const target = await startTarget((socket, requestNumber) => {
    if (requestNumber % 3 === 0) socket.write(OK);
    else if (requestNumber % 3 === 1) socket.resetAndDestroy();
  });
  const sender = startSender();
  const calls = Array.from({ length: 60 }, async (_, index) => {
    const signal = index % 2 ? AbortSignal.abort() : new AbortController().signal;
    return sender.send(post(target.url), { timeoutMs: 500, signal });
  });
  const outcomes = await Promise.all(calls);
  const count = (kind: string, code?: string) =>
    outcomes.filter((one) => one.kind === kind && (!code || ('code' in one && one.code === code))).length;
  expect([
    count('notSent', 'canceled'),
    count('answered'),
    count('unknown', 'network'),
    count('unknown', 'timeout'),
  ]).toEqual([30, 10, 10, 10]);
});
