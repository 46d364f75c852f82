// Proves that the stack keeps its data and its order through kills, taken ports and closed folders.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { Connection } from '@temporalio/client';
import { build } from 'esbuild';
import pg from 'pg';
import { afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest';

import { type Stack, startStack } from './index.ts';
import { findServers } from './orphans.ts';
import { freePort } from './ports.ts';
import { isRunning, markProcess } from './process.ts';

let dataDir: string;
let script: string;

beforeAll(async () => {
  // Inside node_modules, so that what it imports is found.
  const folder = join(inject('repoRoot'), 'node_modules', '.cache', 'perdure-stack-test');
  mkdirSync(folder, { recursive: true });
  script = join(mkdtempSync(join(folder, 'run-')), 'start.mjs');
  const contents = `
    import { startStack } from './src/stack/index.ts';
    const onProgress = (line) => console.log(JSON.stringify({ progress: line }));
    const stack = await startStack({ ...JSON.parse(process.argv[2]), onProgress });
    console.log(JSON.stringify({ stack }));
    setInterval(() => {}, 1000);`;
  const stdin = { contents, resolveDir: inject('repoRoot') };
  await build({ stdin, outfile: script, bundle: true, packages: 'external', platform: 'node', format: 'esm' });
  return () => rmSync(join(script, '..'), { recursive: true });
});

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'perdure-stack-'));
  chmodSync(dataDir, 0o711);
});

afterEach(() => {
  for (const { pid } of findServers(dataDir)) process.kill(pid, 'SIGKILL');
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
});

/** Temporal is given, so only PostgreSQL starts, which is quick. */
const given = { temporalAddress: '127.0.0.1:7233', durable: false };
const onProgress = () => {};
const temporalCliPath = process.env.PERDURE_TEMPORAL_CLI || undefined;

async function startInChild(options: object): Promise<{ child: ChildProcess; stack: Stack }> {
  const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(child.stdout)) {
    const { stack } = JSON.parse(line) as { stack?: Stack };
    if (stack !== undefined) return { child, stack };
  }
  throw new Error('The stack ended before it was up.');
}

async function killHard(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function query(databaseUrl: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return rows;
  } finally {
    await client.end();
  }
}

test('what is given is used, and nothing is started for it', async () => {
  const urls = { databaseUrl: 'postgresql://elsewhere/db', temporalAddress: 'elsewhere:7233' };
  const stack = await startStack({ dataDir, ...urls, onProgress });
  expect(stack).toMatchObject({ ...urls, temporalUiUrl: null, pids: { postgres: null, temporal: null } });
  await stack.stop();
});

test('after kill -9 of the starter its servers are replaced, and state, port and password are kept', async () => {
  const ports = { temporalPort: await freePort(), temporalUiPort: await freePort(), temporalCliPath };
  const { child, stack: first } = await startInChild({ dataDir, ...ports });
  await query(first.databaseUrl, 'create table kept as select 42 as answer');
  await killHard(child);
  const orphans = [markProcess(first.pids.postgres!), markProcess(first.pids.temporal!)];
  expect(orphans.map(isRunning)).toEqual([true, true]);

  const stack = await startStack({ dataDir, ...ports, onProgress });
  expect(orphans.map(isRunning)).toEqual([false, false]);
  expect(stack.databaseUrl).toBe(first.databaseUrl);
  expect(await query(stack.databaseUrl, 'select answer from kept')).toEqual([{ answer: 42 }]);
  expect(await query(stack.databaseUrl, 'show fsync')).toEqual([{ fsync: 'on' }]);
  const connection = await Connection.connect({ address: stack.temporalAddress });
  const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
  await connection.close();
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBeGreaterThanOrEqual(7 * 86_400);

  await stack.stop();
  expect(findServers(dataDir)).toEqual([]);
  expect(Object.values(stack.pids).map((pid) => isRunning(markProcess(pid!)))).toEqual([false, false]);
});

test('after kill -9 of everything, with the process id of PostgreSQL given to another process, it starts again', async () => {
  const { child, stack: first } = await startInChild({ dataDir, ...given });
  await killHard(child);
  const orphan = markProcess(first.pids.postgres!);
  process.kill(orphan.pid, 'SIGKILL');
  await expect.poll(() => isRunning(orphan)).toBe(false);
  const pidFile = join(dataDir, 'postgres', 'data', 'postmaster.pid');
  writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(process.pid)));

  const stack = await startStack({ dataDir, ...given, onProgress });
  expect(await query(stack.databaseUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
  await stack.stop();
});

test('PostgreSQL lets nobody in without the password, and the password is for its owner only', async () => {
  const stack = await startStack({ dataDir, ...given, onProgress });
  const url = new URL(stack.databaseUrl);
  url.password = 'guessed';
  await expect(query(url.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  expect(statSync(join(dataDir, 'postgres.json')).mode & 0o777).toBe(0o600);
  await stack.stop();
});

test('a start that fails has stopped what it had started, and can be repeated', async () => {
  const other = createServer();
  const taken = await freePort();
  await new Promise<void>((resolve) => other.listen(taken, '127.0.0.1', resolve));
  const failing = startStack({ dataDir, temporalPort: taken, temporalCliPath, durable: false, onProgress });
  await expect(failing).rejects.toThrow(new RegExp(`^Port ${taken} for Temporal .*PERDURE_TEMPORAL_PORT.*$`));
  other.close();
  expect(findServers(dataDir)).toEqual([]);
  expect(existsSync(join(dataDir, 'perdure.lock'))).toBe(false);
  const stack = await startStack({ dataDir, ...given, onProgress });
  await stack.stop();
});

test('a server that ends on its own is reported with the reason', async () => {
  let report = '';
  const stack = await startStack({ dataDir, ...given, onProgress, onUnexpectedExit: (message) => (report = message) });
  process.kill(stack.pids.postgres!, 'SIGTERM');
  await expect.poll(() => report, { timeout: 5_000 }).toMatch(/^PostgreSQL ended \(exit code 0\): .*shut down/);
  await stack.stop();
});

test.runIf(process.getuid?.() === 0)(
  'as root, data in a folder closed to others is kept where PostgreSQL may reach it',
  async () => {
    chmodSync(dataDir, 0o700);
    const said: string[] = [];
    const stack = await startStack({ dataDir, ...given, onProgress: (line) => said.push(line) });
    const home = /keeps its data in (\/var\/lib\/perdure\/postgres-\S+) /.exec(said.join('\n'))?.[1];
    expect(await query(stack.databaseUrl, 'show data_directory')).toEqual([{ data_directory: `${home}/data` }]);
    await stack.stop();
    rmSync(home!, { recursive: true });
  },
);
