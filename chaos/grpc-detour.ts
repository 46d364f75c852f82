// A way to Temporal on which a start is carried out and answered with a timeout: the caller cannot know that it was.
import { once } from 'node:events';
import { type ClientHttp2Session, connect, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

export interface GrpcDetour {
  address: string;
  timedOut(): number;
  stop(): Promise<void>;
}

const DEADLINE_EXCEEDED = '4';

/** Everything passes as it is; of the calls that `shouldTimeOut` picks by their path, the answer does not. */
export async function startGrpcDetour(target: string, shouldTimeOut: (path: string) => boolean): Promise<GrpcDetour> {
  let timedOut = 0;
  let upstream: ClientHttp2Session | null = null;
  const session = () => {
    if (upstream === null || upstream.closed || upstream.destroyed) {
      // Calls fail one by one when it breaks; that is what callers are there to bear.
      upstream = connect(`http://${target}`).on('error', () => {});
    }
    return upstream;
  };
  const server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (near) => {
    sessions.add(near);
    near.on('close', () => sessions.delete(near));
    near.on('error', () => near.destroy());
  });
  server.on('stream', (near, headers) => {
    const path = String(headers[':path']);
    const far = session().request(headers);
    near.on('error', () => far.close());
    near.on('close', () => far.close());
    far.on('error', () => near.close());
    near.pipe(far);
    if (!shouldTimeOut(path)) return relay(near, far);
    far.resume();
    far.on('end', () => {
      timedOut += 1;
      if (near.destroyed || near.headersSent) return;
      const trailers = { 'grpc-status': DEADLINE_EXCEEDED, 'grpc-message': 'lost on the way' };
      near.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    timedOut: () => timedOut,
    async stop() {
      upstream?.destroy();
      for (const one of sessions) one.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function relay(near: ServerHttp2Stream, far: ReturnType<ClientHttp2Session['request']>): void {
  let trailers: Record<string, unknown> = {};
  far.on('trailers', (received: object) => {
    trailers = withoutPseudo(received);
  });
  far.on('response', (headers, flags) => {
    if (near.destroyed) return;
    // END_STREAM: an error, told in the headers alone.
    const isWhole = (flags & 1) === 1;
    near.respond(
      { ...withoutPseudo(headers), ':status': headers[':status'] ?? 200 },
      isWhole ? { endStream: true } : { waitForTrailers: true },
    );
    if (!isWhole) far.pipe(near);
  });
  near.on('wantTrailers', () => near.sendTrailers(trailers as Record<string, string>));
}

function withoutPseudo(headers: object): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':')));
}
