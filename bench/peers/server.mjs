// Starts a server that a peer brings along, waits until it answers, and ends it with this process.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const READY_WITHIN_MS = 60_000;

export function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'perdure-peer-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function startServer(command, args, { environment = {}, isReady }) {
  const child = spawn(command, args, { stdio: 'ignore', env: { ...process.env, ...environment } });
  // The harness ends this process with SIGTERM, so that it can take along what it has started.
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  process.once('SIGTERM', () => process.exit(0));
  for (const giveUpAt = Date.now() + READY_WITHIN_MS; Date.now() < giveUpAt;) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
    if (await isReady().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${command} is not ready`);
}

export function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.end());
  });
}

export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
