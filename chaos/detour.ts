// A way to PostgreSQL on which answers get lost: the statement was carried out, and its client never hears of it.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface LossyDetour {
  /** The same database, by way of this proxy. */
  url(databaseUrl: string): string;
  lost(): number;
  stop(): Promise<void>;
}

interface Statements {
  /** By the names under which they were prepared on this connection. */
  named: Map<string, string>;
  rest: Buffer;
  started: boolean;
}

/** `shouldLose`: asked for each statement as it passes; its answer, and the connection with it, is dropped. */
export async function startLossyDetour(
  databaseUrl: string,
  shouldLose: (statement: string) => boolean,
): Promise<LossyDetour> {
  const { hostname, port } = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let lost = 0;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    let losing = false;
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    const statements: Statements = { named: new Map(), rest: Buffer.alloc(0), started: false };
    near.on('data', (chunk: Buffer) => {
      losing ||= statementsIn(statements, chunk).some(shouldLose);
      far.write(chunk);
    });
    far.on('data', (chunk: Buffer) => {
      if (!losing) return void near.write(chunk);
      // It has answered: what was asked is done.
      lost += 1;
      near.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    url(of) {
      const url = new URL(of);
      url.host = `127.0.0.1:${address.port}`;
      return url.href;
    },
    lost: () => lost,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The texts of the statements that these bytes ask for: simple queries, and prepared ones when they are bound. */
function statementsIn(statements: Statements, chunk: Buffer): string[] {
  const bytes = Buffer.concat([statements.rest, chunk]);
  const texts: string[] = [];
  let at = 0;
  for (;;) {
    // The first message of a connection has no type.
    const header = statements.started ? 1 : 0;
    if (bytes.length < at + header + 4) break;
    const end = at + header + bytes.readInt32BE(at + header);
    if (bytes.length < end) break;
    if (statements.started) texts.push(...textOf(statements, bytes.toString('latin1', at, end)));
    statements.started = true;
    at = end;
  }
  statements.rest = bytes.subarray(at);
  return texts;
}

function textOf({ named }: Statements, message: string): string[] {
  const [first = '', second = ''] = message.slice(5).split('\0');
  switch (message[0]) {
    case 'Q':
      return [first];
    case 'P':
      named.set(first, second);
      return [];
    case 'B':
      return [named.get(second) ?? ''];
    default:
      return [];
  }
}
