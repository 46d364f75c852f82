// A client that dies between sending and receiving: with the key it had stored, the next try finds the same job.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect, inject, test } from 'vitest';

import { startInstance } from '../testing/instance.ts';
import { startReceiver } from '../testing/receiver.ts';
import { Perdure } from './index.ts';

// What a user writes: the key is on disk before the call is made.
const PROGRAM = `
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Perdure } from ${JSON.stringify(pathToFileURL(join(inject('repoRoot'), 'dist', 'client.js')).href)};
const [url, keyFile, target] = process.argv.slice(2);
if (!existsSync(keyFile)) writeFileSync(keyFile, crypto.randomUUID());
const idempotencyKey = readFileSync(keyFile, 'utf8');
const job = await new Perdure({ baseUrl: url }).jobs.submit({ http: { url: target, body: { order: 42 } } }, { idempotencyKey });
process.stdout.write(job.id);
`;

test('an SDK killed between sending and receiving, started again with the stored key, makes one job', async () => {
  const [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
  const folder = await mkdtemp(join(tmpdir(), 'perdure-killed-'));
  const program = join(folder, 'program.mjs');
  const keyFile = join(folder, 'key');
  await writeFile(program, PROGRAM);
  const run = (url: string) =>
    spawn(process.execPath, [program, url, keyFile, `${receiver.url}/charge`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });

  // Passes the request on, and never the answer: the client is killed while it waits for it.
  let kill = () => {};
  const accepted: string[] = [];
  const wall = createServer((request) => {
    void forward(request, instance.url).then((id) => {
      accepted.push(id);
      kill();
    });
  });
  wall.listen(0, '127.0.0.1');
  await once(wall, 'listening');
  try {
    const doomed = run(`http://127.0.0.1:${(wall.address() as AddressInfo).port}`);
    kill = () => doomed.kill('SIGKILL');
    const [, signal] = (await once(doomed, 'exit')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
    expect(accepted).toHaveLength(1);

    const again = run(instance.url);
    const output: string[] = [];
    again.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    const [code] = (await once(again, 'close')) as [number | null];
    expect(code).toBe(0);
    expect(output.join('')).toBe(accepted[0]);

    const perdure = new Perdure({ baseUrl: instance.url });
    expect(await perdure.jobs.wait(accepted[0] ?? '')).toMatchObject({ status: 'succeeded', attempts: 1 });
    expect((await perdure.jobs.list().page()).items).toHaveLength(1);
    expect(receiver.at('/charge')).toHaveLength(1);
    expect(await readFile(keyFile, 'utf8')).toMatch(/^[0-9a-f-]{36}$/);
  } finally {
    wall.closeAllConnections();
    wall.close();
    await instance.stop();
    await receiver.stop();
  }
});

async function forward(request: IncomingMessage, url: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const answer = await fetch(`${url}${request.url ?? ''}`, {
    method: request.method,
    headers: {
      'content-type': 'application/json',
      'idempotency-key': String(request.headers['idempotency-key']),
    },
    body: Buffer.concat(chunks),
  });
  const job = (await answer.json()) as { id: string };
  return job.id;
}
