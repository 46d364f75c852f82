// Connections to targets: one call at a time on each, kept alive for the next one while young and still allowed.
//
// A connection is leased (one call runs on it), idle (waits in `idle` for the next call to its origin) or discarded.
// release: leased → idle, or discarded when it is too old or the egress policy has changed since it was made.
// An idle one is discarded when either side closes it, when it is found too old or made under another policy, and by `close`.
//
// Not undici's Agent: after an aborted call that dials the target once more, and it does not know who uses a socket.
import type { Socket } from 'node:net';

import { Client } from 'undici';

import type { EgressPolicy } from './egress.ts';
import { createGuardedConnect, type GuardedConnectDeps } from './guarded-connect.ts';
import { acceptContinue } from './interim-answers.ts';

export interface GuardedDispatcherDeps extends GuardedConnectDeps {
  maxSocketAgeMs?: number;
}

export interface Lease {
  client: Client;
  /** Call when a request is about to be written; returns where it goes. */
  begin: () => string | null;
  /** The answer was read to its end: the connection may serve the next call. */
  release: () => void;
  /** Ends the connection and whatever runs on it, also while it is being dialed. */
  discard: () => void;
}

export interface GuardedDispatcher {
  lease(origin: string): Lease;
  close(): Promise<void>;
}

interface Connection {
  origin: string;
  client: Client;
  policy: EgressPolicy;
  connected: boolean;
  dialedAtMs: number;
  socket: Socket | null;
  expectAnswer: () => void;
}

const CLIENT_OPTIONS = {
  allowH2: false,
  pipelining: 1,
  maxHeaderSize: 64 * 1024,
  // Both are set by the call's own deadline: undici's begin anew with every chunk.
  headersTimeout: 0,
  bodyTimeout: 0,
  // Shorter than what servers use: who closes first must be us, or a call meets a socket that is just being closed.
  keepAliveTimeout: 4_000,
  keepAliveMaxTimeout: 10_000,
};

/** `getPolicy` must return the same object until the setting changes: another one empties the pool. */
export function createGuardedDispatcher({
  maxSocketAgeMs = 60_000,
  ...connectDeps
}: GuardedDispatcherDeps): GuardedDispatcher {
  const connect = createGuardedConnect(connectDeps);
  const all = new Set<Connection>();
  const idle = new Map<string, Connection[]>();
  let closed = false;

  const open = (origin: string, policy: EgressPolicy): Connection => {
    const client = new Client(origin, {
      ...CLIENT_OPTIONS,
      connect: (options, callback) => {
        connection.dialedAtMs = performance.now();
        connection.socket = connect(options, (...[error, socket]) => {
          if (error) return callback(error, null);
          connection.socket = socket;
          connection.expectAnswer = acceptContinue(socket);
          callback(null, socket);
        });
      },
    });
    const connection: Connection = {
      ...{ origin, client, policy, connected: false, dialedAtMs: 0, socket: null },
      expectAnswer: () => {},
    };
    client.on('connect', () => (connection.connected = true));
    client.on('disconnect', () => {
      connection.connected = false;
      if (idle.get(origin)?.includes(connection)) discard(connection);
    });
    all.add(connection);
    return connection;
  };

  const discard = (connection: Connection): void => {
    if (!all.delete(connection)) return;
    const left = (idle.get(connection.origin) ?? []).filter((one) => one !== connection);
    if (left.length > 0) idle.set(connection.origin, left);
    else idle.delete(connection.origin);
    void connection.client.destroy();
    connection.socket?.destroy();
  };

  const isUsable = (connection: Connection): boolean =>
    connection.connected &&
    all.has(connection) &&
    connection.policy === connectDeps.getPolicy() &&
    performance.now() - connection.dialedAtMs < maxSocketAgeMs;

  const release = (connection: Connection): void => {
    if (!isUsable(connection)) return discard(connection);
    const others = idle.get(connection.origin);
    if (others) others.push(connection);
    else idle.set(connection.origin, [connection]);
  };

  /** The one used last: what is not needed grows old and goes. */
  const takeIdle = (origin: string): Connection | undefined => {
    for (let last = idle.get(origin)?.pop(); last; last = idle.get(origin)?.pop()) {
      if (isUsable(last)) return last;
      discard(last);
    }
    return undefined;
  };

  const lease = (origin: string): Lease => {
    if (closed) throw new Error('the dispatcher is closed');
    const connection = takeIdle(origin) ?? open(origin, connectDeps.getPolicy());
    return {
      client: connection.client,
      begin() {
        connection.expectAnswer();
        return connection.socket?.remoteAddress ?? null;
      },
      release: () => release(connection),
      discard: () => discard(connection),
    };
  };

  const close = async (): Promise<void> => {
    closed = true;
    const clients = [...all].map((connection) => connection.client);
    for (const connection of all) discard(connection);
    await Promise.all(clients.map((client) => client.destroy()));
  };

  return { lease, close };
}
