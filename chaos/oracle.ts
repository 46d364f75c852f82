// The target of all calls, in a process of its own that no fault touches: what it wrote down was sent, all else was not.
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { answersWell, behaviour, isBehaviour } from './behaviours.ts';

/** One line of the oracle's file. */
export interface Send {
  tag: string;
  step: string;
  /** The Idempotency-Key it came under. */
  key: string;
  job: string;
  attempt: number;
  /** Whether it was answered with a success. */
  ok: boolean;
  at: number;
}

/** Serves until its parent closes its standard input. */
export async function runOracle(file: string): Promise<void> {
  const write = await createLedger(file);
  const counts = new Map<string, number>();
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    const [, tag = '', step = '', name = '', amount = '0'] = (request.url ?? '').split('/');
    if (!isBehaviour(name)) return void response.writeHead(404).end();
    const call = `${tag}/${step}`;
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    const isWell = answersWell(name, nth, Number(amount));
    await write({ ...readHeaders(request), tag, step, ok: isWell, at: Date.now() });
    if (isWell && behaviour(name).effect !== 'ok') return behaviour('well').act(request, response, 0);
    behaviour(name).act(request, response, Number(amount));
  };
  const server = createServer((request, response) => {
    // A caller that died is what this is about.
    response.on('error', () => {});
    serve(request, response).catch((error: unknown) => {
      process.stderr.write(`oracle: ${String(error)}\n`);
      process.exit(1);
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
  });
  await new Promise((resolve) => process.stdin.on('end', resolve).resume());
  process.exit();
}

function readHeaders({ headers }: IncomingMessage): Pick<Send, 'key' | 'job' | 'attempt'> {
  return {
    // A webhook has an id of its own that stays the same.
    key: String(headers['idempotency-key'] ?? headers['webhook-id'] ?? ''),
    job: String(headers['x-perdure-job'] ?? headers['webhook-id'] ?? ''),
    attempt: Number(headers['x-perdure-attempt'] ?? 0),
  };
}

/** Resolves when the line is on disk; lines that arrive during a sync share the next one. */
async function createLedger(file: string): Promise<(send: Send) => Promise<void>> {
  const handle = await open(file, 'a');
  let waiting: { line: string; done: () => void }[] = [];
  let writing = false;
  const writeAll = async () => {
    writing = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      await handle.appendFile(group.map(({ line }) => line).join(''));
      await handle.datasync();
      for (const { done } of group) done();
    }
    writing = false;
  };
  return (send) =>
    new Promise((done, reject) => {
      waiting.push({ line: `${JSON.stringify(send)}\n`, done });
      if (!writing) writeAll().catch(reject);
    });
}
