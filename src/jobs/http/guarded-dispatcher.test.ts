// Connections: which are opened, which are used again, and that every new one is judged.
import { once } from 'node:events';
import type { Socket } from 'node:net';

import { expect, test } from 'vitest';

import { parseEgress } from './egress.ts';
import { OK } from './receivers.test-helper.ts';
import type { HttpSender, SendOutcome } from './send.ts';
import { startSender, startTarget } from './sender.test-helper.ts';
import type { ResolvedAddress } from './share-lookups.ts';

const call = async (sender: HttpSender, url: string): Promise<SendOutcome> =>
  sender.send({ method: 'POST', url, headers: {}, body: 'a', followRedirects: false }, { timeoutMs: 2_000 });
const answering = (ip: string): ResolvedAddress => ({ address: ip, family: ip.includes(':') ? 6 : 4 });

test('calls one after another share a connection, calls at once do not', async () => {
  const target = await startTarget((socket) => socket.write(OK));
  const sender = startSender();
  for (let n = 0; n < 3; n += 1) expect(await call(sender, target.url)).toMatchObject({ kind: 'answered' });
  expect(target.received).toHaveLength(1);
  await Promise.all([1, 2, 3].map(async () => call(sender, target.url)));
  expect(target.received).toHaveLength(3);
});

test('a kept connection that breaks after the next request was written is unknown, and nothing is sent twice', async () => {
  const target = await startTarget((socket, requestNumber) => {
    if (requestNumber === 1) socket.write(OK);
    else socket.resetAndDestroy();
  });
  const sender = startSender();
  expect(await call(sender, target.url)).toMatchObject({ kind: 'answered' });
  expect(await call(sender, target.url)).toMatchObject({ kind: 'unknown', code: 'network' });
  expect(target.received.join('').match(/POST/g)).toHaveLength(2);
});

test('a kept connection the target closed meanwhile is replaced', async () => {
  const sockets: Socket[] = [];
  const target = await startTarget((socket) => void (sockets.push(socket), socket.write(OK)));
  const sender = startSender();
  expect(await call(sender, target.url)).toMatchObject({ kind: 'answered' });
  sockets[0]!.end();
  await once(sockets[0]!, 'close');
  expect(await call(sender, target.url)).toMatchObject({ kind: 'answered' });
  expect(target.received).toHaveLength(2);
});

test('bytes sent ahead of a request are never taken for its answer', async () => {
  const target = await startTarget((socket, requestNumber) => {
    if (requestNumber === 1) socket.write(OK + OK.replace('ok', 'no'));
    else socket.write(OK);
  });
  const sender = startSender();
  await call(sender, target.url);
  const outcome = await call(sender, target.url);
  expect(outcome).toMatchObject({ kind: 'answered', body: Buffer.from('ok') });
});

test('a connection past its age is not used again', async () => {
  const target = await startTarget((socket) => socket.write(OK));
  const sender = startSender({ maxSocketAgeMs: 0 });
  await call(sender, target.url);
  await call(sender, target.url);
  expect(target.received).toHaveLength(2);
});

test('after a policy change no kept connection is used, and what it forbids is not sent', async () => {
  const target = await startTarget((socket) => socket.write(OK));
  let policy = parseEgress('any');
  const sender = startSender({ getPolicy: () => policy, resolve: async () => [answering('127.0.0.1')] });
  const url = target.url.replace('127.0.0.1', 'target.example');
  expect(await call(sender, url)).toMatchObject({ kind: 'answered' });
  policy = parseEgress('127.0.0.0/8');
  expect(await call(sender, url)).toMatchObject({ kind: 'answered' });
  expect(target.received).toHaveLength(2);
  policy = parseEgress('public');
  expect(await call(sender, url)).toMatchObject({ kind: 'notSent', code: 'targetNotAllowed' });
  expect(target.received).toHaveLength(2);
});

test.each([
  [['127.0.0.1']],
  [['8.8.8.8', '127.0.0.1']],
  [['::ffff:127.0.0.1']],
  [['2606:4700::1111', 'fd00:ec2::254']],
  [['169.254.169.254']],
])('a name that answers %j is not called under public', async (ips) => {
  const policy = parseEgress('public');
  const sender = startSender({ getPolicy: () => policy, resolve: async () => ips.map(answering) });
  const target = await startTarget((socket) => socket.write(OK));
  const outcome = await call(sender, target.url.replace('127.0.0.1', 'rebound.example'));
  expect(outcome).toMatchObject({ kind: 'notSent', code: 'targetNotAllowed', detail: 'The target is not allowed.' });
  expect(target.received).toEqual([]);
});

test('a name is resolved once for a connection, and the address that was checked is dialed', async () => {
  const answers = [[answering('127.0.0.1')], [answering('127.0.0.2')]];
  let asked = 0;
  const target = await startTarget((socket) => socket.end(OK.replace('OK\r\n', 'OK\r\nconnection: close\r\n')));
  const policy = parseEgress('127.0.0.1');
  const sender = startSender({ getPolicy: () => policy, resolve: async () => answers[asked++]! });
  const url = target.url.replace('127.0.0.1', 'rebound.example');
  expect(await call(sender, url)).toMatchObject({ kind: 'answered', targetAddress: '127.0.0.1' });
  expect(asked).toBe(1);
  expect(target.received[0]).toMatch(/\r\nhost: rebound\.example:/);
  expect(await call(sender, url)).toMatchObject({ kind: 'notSent', code: 'targetNotAllowed' });
  expect(asked).toBe(2);
});

test('a name without addresses is not sent', async () => {
  const sender = startSender({ resolve: async () => [] });
  expect(await call(sender, 'http://empty.example/')).toMatchObject({ kind: 'notSent', code: 'network' });
});

test('of several addresses the next is tried when the first refuses', async () => {
  const target = await startTarget((socket) => socket.write(OK));
  const sender = startSender({ resolve: async () => [answering('127.0.0.9'), answering('127.0.0.1')] });
  const outcome = await call(sender, target.url.replace('127.0.0.1', 'two.example'));
  expect(outcome).toMatchObject({ kind: 'answered', targetAddress: '127.0.0.1' });
});

test('localhost is this machine whatever the resolver says, as far as the policy goes', async () => {
  const target = await startTarget((socket) => socket.write(OK));
  const policy = parseEgress('127.0.0.0/8');
  const resolve = async () => Promise.reject(new Error('asked'));
  const sender = startSender({ getPolicy: () => policy, resolve });
  for (const host of ['localhost', 'a.localhost', 'localhost.']) {
    expect(await call(sender, target.url.replace('127.0.0.1', host))).toMatchObject({ kind: 'answered' });
  }
});

test('any does not open the metadata address', async () => {
  const outcome = await call(startSender(), 'http://169.254.169.254/latest/meta-data/');
  expect(outcome).toMatchObject({ kind: 'notSent', code: 'targetNotAllowed' });
});

test('a policy that changes while the name is being resolved is the one that counts', async () => {
  let policy = parseEgress('any');
  const target = await startTarget((socket) => socket.write(OK));
  const resolve = async () => {
    policy = parseEgress('public');
    return [answering('127.0.0.1')];
  };
  const sender = startSender({ getPolicy: () => policy, resolve });
  const outcome = await call(sender, target.url.replace('127.0.0.1', 'slow.example'));
  expect(outcome).toMatchObject({ kind: 'notSent', code: 'targetNotAllowed' });
  expect(target.received.join('')).toBe('');
});

test('the address the connection ended at is judged again before anything is written', async () => {
  const target = await startTarget((socket) => socket.write(OK));
  let judged = 0;
  const policy = { allowsAddress: () => ++judged === 1 };
  const sender = startSender({ getPolicy: () => policy, resolve: async () => [answering('127.0.0.1')] });
  const outcome = await call(sender, target.url.replace('127.0.0.1', 'moved.example'));
  expect(outcome).toMatchObject({ kind: 'notSent', code: 'targetNotAllowed' });
  expect(judged).toBe(2);
  expect(target.received.join('')).toBe('');
});
