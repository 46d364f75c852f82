// A target for jobs: a real HTTP server that remembers every request and answers as it is told.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
  at: number;
}

export type Behaviour = (request: Received, response: ServerResponse, nth: number) => void;

export interface Receiver {
  url: string;
  host: string;
  received: Received[];
  /** What came to this path, in order. */
  at(path: string): Received[];
  /** Answers requests to this path (a prefix) so; without one they are answered 200 with `{"ok":true}`. */
  on(path: string, behaviour: Behaviour): void;
  stop(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const counts = new Map<string, number>();
  const behaviours = new Map<string, Behaviour>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '/';
      const one: Received = {
        method: request.method ?? '',
        path,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
        at: Date.now(),
      };
      received.push(one);
      const nth = (counts.get(path) ?? 0) + 1;
      counts.set(path, nth);
      const [, behaviour] = [...behaviours].find(([prefix]) => path.startsWith(prefix)) ?? [];
      if (behaviour) return behaviour(one, response, nth);
      response.setHeader('content-type', 'application/json').end('{"ok":true}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    host: '127.0.0.1',
    received,
    at: (path) => received.filter((one) => one.path === path),
    on: (path, behaviour) => void behaviours.set(path, behaviour),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function answer(status: number, headers: Record<string, string> = {}, body = ''): Behaviour {
  return (_request, response) => void response.writeHead(status, headers).end(body);
}

/** Answers only after `ms`, so that whatever happens meanwhile finds the call under way. */
export function slowly(ms: number): Behaviour {
  return (_request, response) => void setTimeout(() => response.end('done'), ms);
}
