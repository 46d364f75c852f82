// A store behind a proxy that can refuse, cut or swallow its traffic, to see what its absence does.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  /** `host:port` of the proxy. */
  address: string;
  /** Cuts every connection and refuses new ones. */
  down: () => void;
  /** Takes connections and bytes, and passes nothing on. */
  blackHole: () => void;
  up: () => void;
  stop(): Promise<void>;
}

type State = 'up' | 'down' | 'blackHole';

export async function startTcpProxy(host: string, port: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let state: State = 'up';
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // That connections break is what this is for.
    socket.on('error', () => socket.destroy());
  };
  const server = createServer((near) => {
    track(near);
    if (state === 'down') return void near.resetAndDestroy();
    const far = connect(port, host);
    track(far);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk) => {
        if (state === 'up') to.write(chunk);
      });
      from.on('close', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cutAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    down() {
      state = 'down';
      cutAll();
    },
    blackHole() {
      state = 'blackHole';
    },
    up() {
      // What was swallowed in between has broken the streams.
      if (state === 'blackHole') cutAll();
      state = 'up';
    },
    async stop() {
      cutAll();
      server.close();
      await once(server, 'close');
    },
  };
}
