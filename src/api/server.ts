// The HTTP server around the app: bounded in time on every side, and stopped without cutting answers.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Express } from 'express';

import { answerUnreadable } from './unreadable.ts';

export interface RunningServer {
  port: number;
  /** Stops listening, lets the answers under way end, cuts what is left after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export async function listen(app: Express, { host, port }: { host: string; port: number }): Promise<RunningServer> {
  const server = createServer({ headersTimeout: 15_000, requestTimeout: 60_000, keepAliveTimeout: 30_000 }, app);
  server.on('clientError', answerUnreadable);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new Error(`port ${port} is taken; choose another with PORT`) : error);
    });
    server.listen(port, host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, stop: (graceMs) => close(server, graceMs) };
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
