// Targets for the tests of this folder: raw TCP ones that misbehave to order, on loopback and a free port.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface RawReceiver {
  url: string;
  port: number;
  /** What arrived, one text per connection. */
  received: string[];
  close(): Promise<void>;
}

type OnRequest = (socket: Socket, requestNumber: number) => void;

/** `onRequest` is called for each complete request head; `onConnection` before anything arrives. */
export async function startRawReceiver(
  onRequest: OnRequest,
  onConnection?: (socket: Socket) => void,
): Promise<RawReceiver> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer((socket) => {
    const index = received.push('') - 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // The other side hangs up in most of these tests.
    socket.on('error', () => undefined);
    onConnection?.(socket);
    let pending = '';
    socket.on('data', (chunk) => {
      received[index] += chunk.toString('latin1');
      pending += chunk.toString('latin1');
      for (let end = pending.indexOf('\r\n\r\n'); end >= 0; end = pending.indexOf('\r\n\r\n')) {
        pending = pending.slice(end + 4);
        requests += 1;
        onRequest(socket, requests);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${port}/`, port, received, close };
}

export const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
