// Perdure as its users have it: the built product in a process of its own, or in one for each role, spoken to over HTTP.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { Pool } from 'undici';

import { freePort } from '../../src/stack/ports.ts';
import type { Stage } from '../stage.ts';
import { type Done, inParallel, type Order, type Suite, SUITES, type System, timed, timesOf } from '../system.ts';

const READY_WITHIN_MS = 60_000;
/** Else the question whether all is done reads all that is done, every time. */
const BY_INDEX = '-c enable_seqscan=off';
/** Together well below the 10 MiB a batch may have. */
const MAX_BATCH = 10_000;

export interface Perdure extends System {
  pid: number;
  db: pg.Pool;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<{ id: string; status: string }>;
}

export interface PerdureOptions {
  name?: string;
  /** Whose `dist` is run. */
  root?: string;
  nodeOptions?: string[];
  environment?: Record<string, string>;
  /** API and worker in a process each: what a machine with work to do has. */
  isSplit?: boolean;
  suites?: Suite[];
}

export async function startPerdure(
  stage: Stage,
  {
    name = 'perdure',
    root = stage.root,
    nodeOptions = [],
    environment = {},
    isSplit = false,
    suites = [...SUITES],
  }: PerdureOptions = {},
): Promise<Perdure> {
  const port = await freePort();
  const databaseUrl = await stage.createDatabase('perdure');
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: stage.temporalAddress,
    PERDURE_TASK_QUEUE: `bench-perdure-${port}`,
    PERDURE_EGRESS: 'any',
    PERDURE_SHUTDOWN_GRACE: '1s',
    PORT: String(port),
    LOG_LEVEL: 'warn',
    ...environment,
  };
  const main = join(root, 'dist', 'main.js');
  const run = (role: string) =>
    spawn(process.execPath, [...nodeOptions, main, role], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], env });
  if (isSplit) execFileSync(process.execPath, [main, 'migrate'], { cwd: root, stdio: 'ignore', env });
  const children = (isSplit ? ['api', 'worker'] : ['start']).map(run);
  const origin = `http://127.0.0.1:${port}`;
  await ready(children, origin);
  const http = new Pool(origin, { connections: 64, bodyTimeout: 0, headersTimeout: 0 });
  const db = new pg.Pool({ connectionString: databaseUrl, max: 2, options: BY_INDEX });
  db.on('error', (error) => console.error(error.message));
  const post: Perdure['post'] = async (path, body, headers = {}) => {
    const { statusCode, body: answer } = await http.request({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    if (statusCode !== 201) throw new Error(`${path} answered ${statusCode}: ${await answer.text()}`);
    return (await answer.json()) as { id: string; status: string };
  };
  const pids = children.map(({ pid = 0 }) => pid);
  return {
    name,
    suites,
    groups: { process: pids, temporal: stage.groups.temporal, postgres: stage.groups.postgres },
    pid: pids[0] ?? 0,
    db,
    post,
    run: (order) => carryOut({ post, db, receiverUrl: stage.receiverUrl }, order),
    async stop() {
      await http.destroy();
      await db.end();
      const exited = children.map((child) => once(child, 'exit'));
      for (const child of children) child.kill('SIGTERM');
      await Promise.all(exited);
    },
  };
}

interface Means extends Pick<Perdure, 'post' | 'db'> {
  receiverUrl: string;
}

async function carryOut({ post, db, receiverUrl }: Means, { suite, count, submitters }: Order): Promise<Done> {
  const job = (n: number) => ({ http: { url: `${receiverUrl}/${n}` } });
  const waited = async (n: number) => {
    const { status } = await post('/v1/jobs', job(n), { prefer: 'wait=30' });
    if (status !== 'succeeded') throw new Error(`a job is ${status}`);
  };
  if (suite === 'latency') return timesOf(count, waited);
  if (suite === 'singles') return { ms: await timed(() => inParallel(count, submitters, waited)) };
  const ms = await timed(async () => {
    if (suite === 'batch') await postBatches(post, count, job);
    else {
      const lane = suite === 'shared' ? { lane: 'shared' } : {};
      await inParallel(count, submitters, (n) => post('/v1/jobs', { ...job(n), ...lane }));
    }
    await untilFinal(db);
  });
  return { ms };
}

async function postBatches(post: Perdure['post'], count: number, job: (n: number) => object): Promise<void> {
  for (let at = 0; at < count; at += MAX_BATCH) {
    const items = Array.from({ length: Math.min(MAX_BATCH, count - at) }, (_item, n) => job(at + n));
    await post('/v1/batches', { items, concurrency: 100 });
  }
}

/** Asked of the database, so that the question costs the API nothing. */
async function untilFinal(db: pg.Pool): Promise<void> {
  const open = 'select exists (select 1 from jobs where finished_at is null) as open';
  while ((await db.query<{ open: boolean }>(open)).rows[0]?.open) await sleep(25);
  const { rows } = await db.query("select 1 from jobs where finished_at is not null and status <> 'succeeded' limit 1");
  if (rows.length > 0) throw new Error('not every job succeeded');
}

async function ready(children: ChildProcess[], origin: string): Promise<void> {
  for (const giveUpAt = Date.now() + READY_WITHIN_MS; Date.now() < giveUpAt; await sleep(50)) {
    for (const { exitCode } of children) if (exitCode !== null) throw new Error(`Perdure ended with ${exitCode}`);
    if (
      await fetch(`${origin}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      )
    ) {
      return;
    }
  }
  throw new Error('Perdure is not ready');
}
