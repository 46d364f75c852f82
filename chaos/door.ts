// The way to a target that can be shut: whoever comes then is refused, as by a host on which nothing listens any more.
import { once } from 'node:events';
import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Door {
  url: string;
  shut(): Promise<void>;
  open(): Promise<void>;
  stop(): Promise<void>;
}

export async function createDoor(targetUrl: string): Promise<Door> {
  let server = createForwarder(targetUrl);
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  const shut = async () => {
    const closed = once(server, 'close');
    server.close();
    // Calls under way end well; a connection that is kept for the next one does not.
    server.closeIdleConnections();
    await closed;
  };
  return {
    url: `http://localhost:${port}`,
    shut,
    async open() {
      server = createForwarder(targetUrl);
      await listen(server, port);
    },
    stop: () => (server.listening ? shut() : Promise.resolve()),
  };
}

function createForwarder(targetUrl: string): Server {
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const onward = forward(`${targetUrl}${url}`, { method, headers }, (answer) => {
      // Ending, it lets go of its connections one by one.
      if (!server.listening) outgoing.setHeader('connection', 'close');
      outgoing.writeHead(answer.statusCode ?? 502, { 'content-type': answer.headers['content-type'] ?? 'text/plain' });
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  return server;
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}
