// Redirects: not followed unless asked, and never to where the first URL could not have gone.
import { afterEach, expect, test } from 'vitest';

import { type EgressPolicy, parseEgress } from './egress.ts';
import { OK, type RawReceiver, startRawReceiver } from './receivers.test-helper.ts';
import { redirectedRequest } from './redirect.ts';
import { createHttpSender, type HttpSender, type OutgoingRequest } from './send.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const any = parseEgress('any');
const startSender = (policy: EgressPolicy = any): HttpSender => {
  const sender = createHttpSender({ getPolicy: () => policy });
  closers.push(() => sender.close());
  return sender;
};
const startTarget = async (reply: (requestNumber: number) => string): Promise<RawReceiver> => {
  const target = await startRawReceiver((socket, requestNumber) => socket.write(reply(requestNumber)));
  closers.push(() => target.close());
  return target;
};
const redirectTo = (location: string, status = 302): string =>
  `HTTP/1.1 ${status} Moved\r\nlocation: ${location}\r\ncontent-length: 5\r\n\r\nmoved`;
const headers = {
  authorization: 'a',
  cookie: 'b',
  'Idempotency-Key': 'c',
  'X-Perdure-Job': 'd',
  'X-Api-Key': 'e',
  'content-type': 'text/plain',
  'x-a': 'f',
};
const post = (url: string, followRedirects: boolean): OutgoingRequest => ({
  method: 'POST',
  url,
  headers,
  body: 'payload',
  followRedirects,
});

test('a redirect is the answer when redirects are off, and its target is never visited', async () => {
  const second = await startTarget(() => OK);
  const first = await startTarget(() => redirectTo(second.url));
  const outcome = await startSender().send(post(first.url, false), { timeoutMs: 2_000 });
  expect(outcome).toMatchObject({ kind: 'answered', status: 302, headers: { location: second.url } });
  expect(second.received).toEqual([]);
});

test('a followed 302 of a POST becomes a GET without body, and across origins without credentials', async () => {
  const second = await startTarget(() => OK);
  const first = await startTarget(() => redirectTo(second.url));
  const outcome = await startSender().send(post(first.url, true), { timeoutMs: 2_000 });
  expect(outcome).toMatchObject({ kind: 'answered', status: 200, body: Buffer.from('ok') });
  expect(second.received[0]).toMatch(/^GET \/ HTTP\/1.1\r\n/);
  expect(second.received[0]).toMatch(/\r\nx-a: f\r\n/);
  expect(second.received[0]).not.toMatch(
    /authorization|cookie|idempotency-key|x-perdure|api-key|content-type|payload/i,
  );
});

test('another origin does not get a header that holds a secret, whatever it is called; the same origin does', () => {
  const request = { ...post('https://a.example/', true), confidential: ['x-a'] };
  const next = (location: string) => redirectedRequest(request, { status: 307, headers: { location } }, any)?.headers;
  expect(next('https://b.example/')).not.toHaveProperty('x-a');
  expect(next('https://a.example/other')).toHaveProperty('x-a', 'f');
});

test('a 307 keeps method, body and, within one origin, all headers', async () => {
  const target = await startTarget((requestNumber) => (requestNumber === 1 ? redirectTo('/next?a=b', 307) : OK));
  const outcome = await startSender().send(post(target.url, true), { timeoutMs: 2_000 });
  expect(outcome).toMatchObject({ kind: 'answered', status: 200 });
  const second = target.received.join('').split('POST ')[2];
  expect(second).toMatch(/^\/next\?a=b HTTP\/1.1\r\n/);
  for (const [name, value] of Object.entries(headers)) expect(second).toContain(`${name}: ${value}\r\n`);
  expect(second).toMatch(/payload$/);
});

test('a redirect loop ends after five hops with the redirect itself', async () => {
  const target = await startTarget(() => redirectTo('/again'));
  const outcome = await startSender().send(post(target.url, true), { timeoutMs: 2_000 });
  expect(outcome).toMatchObject({ kind: 'answered', status: 302 });
  expect(target.received.join('').match(/HTTP\/1.1\r\n/g)).toHaveLength(6);
});

test('a redirect to a forbidden target ends with the redirect itself, and the target is not visited', async () => {
  const second = await startTarget(() => OK);
  const byAddress = await startTarget(() => redirectTo(second.url.replace('127.0.0.1', '[::ffff:127.0.0.2]')));
  const byName = await startTarget(() => redirectTo(`http://rebound.example:${second.port}/`));
  const sender = createHttpSender({
    getPolicy: () => policy,
    resolve: async () => [{ address: '127.0.0.2', family: 4 }],
  });
  const policy = parseEgress('127.0.0.1');
  closers.push(() => sender.close());
  for (const first of [byAddress, byName]) {
    const outcome = await sender.send(post(first.url, true), { timeoutMs: 2_000 });
    expect(outcome).toMatchObject({ kind: 'answered', status: 302 });
  }
  expect(second.received).toEqual([]);
});

test('a hop that cannot be reached is unknown, because the first target was', async () => {
  const gone = await startRawReceiver(() => undefined);
  await gone.close();
  const first = await startTarget(() => redirectTo(gone.url));
  const outcome = await startSender().send(post(first.url, true), { timeoutMs: 2_000 });
  expect(outcome).toMatchObject({ kind: 'unknown', code: 'network' });
});

test('one deadline covers all hops', async () => {
  const target = await startRawReceiver((socket) => void setTimeout(() => socket.write(redirectTo('/again')), 100));
  closers.push(() => target.close());
  const outcome = await startSender().send(post(target.url, true), { timeoutMs: 250 });
  expect(outcome).toMatchObject({ kind: 'unknown', code: 'timeout' });
  expect(outcome.durationMs).toBeLessThan(450);
});

test.each([
  ['https://a.example/', 'http://a.example/'],
  ['http://a.example/', 'http://169.254.169.254/'],
  ['http://a.example/', 'http://user:pass@b.example/'],
  ['http://a.example/', 'http://b.example:22/'],
  ['http://a.example/', 'file:///etc/passwd'],
  ['http://a.example/', 'http://['],
])('from %s to %s is not followed', (url, location) => {
  expect(redirectedRequest(post(url, true), { status: 302, headers: { location } }, any)).toBeNull();
});

test.each([
  [301, 'POST', 'GET'],
  [302, 'PUT', 'PUT'],
  [303, 'PUT', 'GET'],
  [303, 'HEAD', 'HEAD'],
  [308, 'POST', 'POST'],
])('a %i turns %s into %s', (status, method, becomes) => {
  const request = { ...post('http://a.example/', true), method };
  const next = redirectedRequest(request, { status, headers: { location: '/b' } }, any);
  expect(next).toMatchObject({ method: becomes, url: 'http://a.example/b' });
  expect(next && 'body' in next).toBe(becomes !== 'GET');
});

test.each([200, 300, 304, 305, 404])('a %i is no redirect', (status) => {
  expect(redirectedRequest(post('http://a.example/', true), { status, headers: { location: '/b' } }, any)).toBeNull();
});
