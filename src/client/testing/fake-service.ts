// A small HTTP receiver for tests of the client and the command line: records requests, answers what it is told.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** Answers a reply, `'hangUp'` to break the connection, or nothing when it has written the response itself. */
export type Handler = (request: SeenRequest, response: ServerResponse) => Reply | 'hangUp' | void;

export interface FakeService extends AsyncDisposable {
  url: string;
  seen: SeenRequest[];
}

export async function startFakeService(handler: Handler): Promise<FakeService> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake');
      const { method = '', headers } = request;
      const one = { method, path: pathname, query: searchParams, headers, body };
      seen.push(one);
      const reply = handler(one, response);
      if (reply === 'hangUp') return void request.socket.destroy();
      if (reply) send(response, reply);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(response: ServerResponse, { status = 200, headers = {}, body }: Reply): void {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    // The client broke off; what came is what was seen.
  }
  return Buffer.concat(chunks).toString();
}

export function problem(status: number, code: string, more: object = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'x-request-id': 'req_1' },
    body: { type: `https://perdure.dev/errors/${code}`, title: code, status, code, detail: null, errors: [], ...more },
  };
}
