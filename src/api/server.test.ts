// The server against clients that are slow, many or rude, and what its answers tell browsers.
import { connect, type Socket } from 'node:net';

import express from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createLog } from '../telemetry/log.ts';
import { jsonBody } from './middleware/body.ts';
import { createErrorHandler } from './middleware/errors.ts';
import { headerCount } from './middleware/header-count.ts';
import { ndjsonBody } from './middleware/ndjson-body.ts';
import { requestContext } from './middleware/request-context.ts';
import { listen, type RunningServer } from './server.ts';

const ANSWER_MS = 900;

let server: RunningServer;
const sockets: Socket[] = [];

beforeAll(async () => {
  const app = express();
  app.use(requestContext, headerCount);
  app.get('/slow', (_request, response) => void setTimeout(() => response.end('late'), ANSWER_MS));
  app.get('/stream', (_request, response) => {
    response.write('begin ');
    setTimeout(() => response.end('end'), ANSWER_MS);
  });
  app.post('/body', jsonBody({ limitBytes: 100 }), (request, response) => void response.json(request.body));
  app.use(createErrorHandler(createLog('silent')));
  const limits = { headersTimeoutMs: 300, requestTimeoutMs: 600, checkEveryMs: 50, maxConnections: 20 };
  server = await listen(app, { host: '127.0.0.1', port: 0, ...limits });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await server.stop(100);
});

function open(text: string): { heard: () => string; closed: Promise<string>; socket: Socket } {
  let heard = '';
  const socket = connect(server.port, '127.0.0.1', () => socket.write(text));
  sockets.push(socket);
  socket.on('data', (chunk) => (heard += chunk.toString()));
  socket.on('error', () => undefined);
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(heard)));
  return { heard: () => heard, closed, socket };
}

const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;

describe('slow requests', () => {
  it('that send a header now and then are ended while others are served', async () => {
    const startedAt = performance.now();
    const slow = Array.from({ length: 10 }, () => open('POST /body HTTP/1.1\r\nHost: a\r\n'));
    const drip = setInterval(() => slow.forEach(({ socket }) => socket.writable && socket.write('X: 1\r\n')), 40);
    expect(await open(GET('/slow')).closed).toMatch(/late$/);
    const answers = await Promise.all(slow.map(({ closed }) => closed));
    clearInterval(drip);
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 408 .*requestTimeout/s);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('whose body does not come are ended', async () => {
    const head = 'POST /body HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{';
    expect(await open(head).closed).toMatch(/^HTTP\/1\.1 (408|400) /);
  });

  it('are not those whose answer takes long, at once or in pieces', async () => {
    expect(await open(GET('/slow')).closed).toMatch(/200 OK.*late$/s);
    expect(await open(GET('/stream')).closed).toMatch(/200 OK.*begin .*end/s);
  });
});

it('connections beyond the limit are closed at once, and there is room again when others end', async () => {
  const idle = Array.from({ length: 20 }, () => open(GET('/slow')));
  await Promise.all(idle.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))));
  const beyond = await open(GET('/slow')).closed;
  expect(beyond).toBe('');
  const answers = await Promise.all(idle.map(({ closed }) => closed));
  expect(answers.every((answer) => answer.endsWith('late'))).toBe(true);
  expect(await open(GET('/slow')).closed).toMatch(/late$/);
});

describe('headers', () => {
  const withHeaders = (count: number) =>
    `POST /body HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\n${Array.from(
      { length: count - 4 },
      (_, n) => `X-${n}: 1\r\n`,
    ).join('')}\r\n{}`;

  it('are a hundred at most: none is dropped without a word', async () => {
    expect(await open(withHeaders(100)).closed).toMatch(/^HTTP\/1\.1 200 /);
    expect(await open(withHeaders(101)).closed).toMatch(/^HTTP\/1\.1 431 .*headersTooLarge/s);
  });
});

describe('body limits', () => {
  it('that are no numbers keep the process from starting', () => {
    for (const limitBytes of [NaN, Infinity, -1, 0, 1.5, '1mb', undefined, null] as number[]) {
      if (limitBytes !== undefined) expect(() => jsonBody({ limitBytes })).toThrow(TypeError);
      expect(() => ndjsonBody({ limitBytes, maxLines: 1, basePointer: '' })).toThrow(TypeError);
    }
  });

  it('hold however the body comes', async () => {
    const url = `http://127.0.0.1:${server.port}/body`;
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ a: 'x'.repeat(200) });
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(413);
    const chunked = new Blob([body]).stream();
    const sent = await fetch(url, { method: 'POST', headers, body: chunked, duplex: 'half' });
    expect(sent.status).toBe(413);
    const zipped = { ...headers, 'content-encoding': 'gzip' };
    expect((await fetch(url, { method: 'POST', headers: zipped, body: 'x' })).status).toBe(415);
  });
});
