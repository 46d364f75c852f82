// What becomes of a body: read whole, refused, or given up with its sender; and whoever waits for it stays who it is.
import { AsyncLocalStorage } from 'node:async_hooks';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import express from 'express';
import { afterAll, beforeAll, expect, it } from 'vitest';

import type { ApiError } from '../problem.ts';
import { listen, type RunningServer } from '../server.ts';
import { readBody } from './read-body.ts';

const LIMIT_BYTES = 1_000;
const scope = new AsyncLocalStorage<string>();
const outcomes: string[] = [];
let server: RunningServer;
beforeAll(async () => {
  const app = express();
  app.use((request, response) => {
    void scope.run('who asks', async () => {
      const told = await readBody(request, LIMIT_BYTES).then(
        (bytes) => `${bytes.length} for ${scope.getStore()}`,
        (error: unknown) => `${(error as ApiError).code} for ${scope.getStore()}`,
      );
      outcomes.push(told);
      response.end(told);
    });
  });
  server = await listen(app, { host: '127.0.0.1', port: 0 });
});
afterAll(() => server.stop(1_000));

/** What is sent as it stands, in pieces; tells what is answered. */
async function send(...pieces: string[]): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  for (const piece of pieces) {
    socket.write(piece);
    await sleep(20);
  }
  await closed;
  return text.split('\r\n\r\n').at(-1) ?? '';
}

const HEAD = 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
const chunked = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

it.each([
  ['is read whole', ['Content-Length: 4\r\n\r\nfour'], '4'],
  ['is read whole though it comes in pieces', ['Content-Length: 8\r\n\r\n', 'four', 'more'], '8'],
  ['is read whole without a length', ['Transfer-Encoding: chunked\r\n\r\n', chunked('four'), '0\r\n\r\n'], '4'],
  ['may be as long as the limit', [`Content-Length: 1000\r\n\r\n${'x'.repeat(1_000)}`], '1000'],
  ['may be empty', ['Content-Length: 0\r\n\r\n'], '0'],
  ['need not be there', ['\r\n'], '0'],
  ['may say that it is not encoded', ['Content-Encoding: Identity\r\nContent-Length: 1\r\n\r\nx'], '1'],
  ['is refused where it is encoded', ['Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx'], 'unsupportedMediaType'],
  ['is refused by its length', [`Content-Length: 1001\r\n\r\n`, 'x'.repeat(1_001)], 'tooLarge'],
  [
    'is refused where it turns out to be too long',
    ['Transfer-Encoding: chunked\r\n\r\n', chunked('x'.repeat(700)), chunked('x'.repeat(700)), '0\r\n\r\n'],
    'tooLarge',
  ],
])('a body %s', async (_what, [first = '', ...rest], expected) => {
  const answer = await send(HEAD + first, ...rest);
  expect(answer).toBe(`${expected} for who asks`);
});

it('a body whose sender goes away is given up', async () => {
  outcomes.length = 0;
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`${HEAD}Content-Length: 10\r\n\r\nfour`);
  await sleep(20);
  socket.destroy();
  await expect.poll(() => outcomes).toEqual(['invalidRequest for who asks']);
});
