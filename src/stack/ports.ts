// Loopback ports: is one free, find a free one, and the error that names what to set when one is taken.
import { type AddressInfo, createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';

export async function isPortFree(port: number): Promise<boolean> {
  try {
    await listenOnce(port);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE' || code === 'EACCES') return false;
    throw error;
  }
}

export async function freePort(): Promise<number> {
  return listenOnce(0);
}

export async function requirePort(port: number, what: string, variable: string): Promise<number> {
  if (await isPortFree(port)) return port;
  throw new Error(`Port ${port} for ${what} is taken or not allowed; set ${variable} to another port.`);
}

async function listenOnce(port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: LOOPBACK, exclusive: true }, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return bound;
}
