// Ports for servers that die and come back.
import { isPortFree } from '../src/stack/ports.ts';

/**
 * Below those that outgoing connections are given: a client that tries a port again and again while nobody listens
 * there may be given that very port, and then holds it against the server that comes back.
 */
const PORTS = { first: 15_000, last: 32_000 };
const TRIES = 100;

export async function lastingPort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = PORTS.first + Math.floor(Math.random() * (PORTS.last - PORTS.first));
    if (await isPortFree(port)) return port;
  }
  throw new Error(`no port from ${PORTS.first} to ${PORTS.last} is free`);
}
