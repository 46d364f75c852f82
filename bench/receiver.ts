// The target of every call, in a process of its own: answers 100 bytes of JSON at once, and counts.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { serveOrders } from './child.ts';

const ANSWER = JSON.stringify({ ok: true, filler: 'x'.repeat(77) });

let calls = 0;
const server = createServer((request, response) => {
  calls += 1;
  request.resume();
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length }).end(ANSWER);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  serveOrders(async () => calls, `http://127.0.0.1:${port}`);
});
