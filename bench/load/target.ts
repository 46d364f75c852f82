// A target that misbehaves in every way there is, on loopback: what it does is in the path of the request.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const BEHAVIOURS = ['ok', 'slow', 'flaky', 'error', 'refused', 'limit', 'reset', 'hang'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

export interface Target {
  urlOf(behaviour: Behaviour): string;
  calls(): number;
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';

/** `host` is the name by which the instance reaches this machine. */
export async function startTarget(host = LOOPBACK): Promise<Target> {
  let calls = 0;
  const server = createServer((request, response) => {
    calls += 1;
    request.resume();
    behave(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Only who is asked to serve other machines listens for them.
    server.listen(0, host === LOOPBACK ? LOOPBACK : '0.0.0.0', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    urlOf: (behaviour) => `http://${host}:${port}/${behaviour}`,
    calls: () => calls,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function behave(request: IncomingMessage, response: ServerResponse): void {
  const attempt = Number(request.headers['x-perdure-attempt'] ?? 1);
  const answer = (status: number, headers: Record<string, string> = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(`{"attempt":${attempt}}`);
  };
  switch (request.url?.split('/')[1]?.split('?')[0] as Behaviour | undefined) {
    case 'slow':
      setTimeout(answer, 200 + Math.random() * 800, 200);
      return;
    case 'flaky':
      return answer(attempt === 1 ? 503 : 200);
    case 'error':
      return answer(500);
    case 'refused':
      return answer(400);
    case 'limit':
      return attempt === 1 ? answer(429, { 'retry-after': '1' }) : answer(200);
    case 'reset':
      return attempt === 1 ? void request.socket.destroy() : answer(200);
    case 'hang':
      // Answers never; the caller's timeout ends it.
      return;
    default:
      return answer(200);
  }
}
