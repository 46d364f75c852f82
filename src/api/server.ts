// The HTTP server around the app: bounded in time on every side, and stopped without cutting answers.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Express } from 'express';

import { createShortTurns } from './short-turns.ts';
import { answerUnreadable } from './unreadable.ts';

/** A request must have arrived by then; how long its answer takes is another matter. */
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** How often the two are looked at; by default it is only twice a minute. */
const CHECK_EVERY_MS = 5_000;
/** Longer than proxies keep an idle connection (mostly 60 s), or they would send into one that we are just closing. */
const KEEP_ALIVE_MS = 65_000;
/** Nothing was sent or taken for so long: a client that reads no more of its answer. Event streams have a heartbeat. */
const IDLE_TIMEOUT_MS = 120_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 5_000;
/** Those that wait to be taken: beyond it (Node's own is 511) the kernel drops them, and they try again after 1, 3, 7 s. */
const BACKLOG = 4_096;

const LOOK_EVERY_MS = 20;

declare module 'node:http' {
  interface IncomingMessage {
    /** On the clock of `performance.now()`, rather too early than too late: what waits while we are busy has come, too. */
    arrivedAtMs?: number;
  }
}

export interface ServerLimits {
  headersTimeoutMs?: number;
  requestTimeoutMs?: number;
  checkEveryMs?: number;
  maxConnections?: number;
  /** The variable that chooses another port. */
  variable?: string;
}

export interface RunningServer {
  port: number;
  /** Stops listening, lets the answers under way end, cuts what is left after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export async function listen(
  app: Express,
  { host, port, variable = 'PORT', ...limits }: { host: string; port: number } & ServerLimits,
): Promise<RunningServer> {
  const server = createServer({
    headersTimeout: limits.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
    requestTimeout: limits.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: limits.checkEveryMs ?? CHECK_EVERY_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  noteArrivals(server);
  const turns = createShortTurns();
  server.on('connection', turns.letIn);
  server.on('request', (request, response) => turns.soon(() => void app(request, response)));
  // Those beyond are closed at once, so that the ones there are can still be served.
  server.maxConnections = limits.maxConnections ?? MAX_CONNECTIONS;
  // Node drops what is beyond without a word; the app refuses it instead.
  server.maxHeadersCount = 0;
  server.timeout = IDLE_TIMEOUT_MS;
  server.on('clientError', answerUnreadable);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new Error(`port ${port} is taken; choose another with ${variable}`) : error);
    });
    server.listen(port, host, BACKLOG, resolve);
  });
  return { port: (server.address() as AddressInfo).port, stop: (graceMs) => close(server, graceMs) };
}

/** What is read now may have come at any time since we last looked. */
function noteArrivals(server: Server): void {
  let lookedAt = performance.now();
  const looking = setInterval(() => (lookedAt = performance.now()), LOOK_EVERY_MS).unref();
  server.once('close', () => clearInterval(looking));
  server.on('request', (request) => (request.arrivedAtMs = lookedAt));
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
