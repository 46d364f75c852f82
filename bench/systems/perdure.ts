// Perdure as its users have it: the built product in a process of its own, spoken to over HTTP.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import { Pool } from 'undici';

import { freePort } from '../../src/stack/ports.ts';
import type { Stage } from '../stage.ts';
import { type Done, inParallel, type Order, type System, timed, timesOf } from '../system.ts';

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
}

export async function startPerdure(
  stage: Stage,
  { name = 'perdure', root = stage.root, nodeOptions = [] }: PerdureOptions = {},
): Promise<Perdure> {
  const port = await freePort();
  const databaseUrl = await stage.createDatabase('perdure');
  const child = spawn(process.execPath, [...nodeOptions, join(root, 'dist', 'main.js'), 'start'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      DATABASE_URL: databaseUrl,
      TEMPORAL_ADDRESS: stage.temporalAddress,
      PERDURE_TASK_QUEUE: `bench-perdure-${port}`,
      PERDURE_EGRESS: 'any',
      PERDURE_SHUTDOWN_GRACE: '1s',
      PORT: String(port),
      LOG_LEVEL: 'warn',
    },
  });
  const origin = `http://127.0.0.1:${port}`;
  await ready(child, origin);
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
  const pid = child.pid ?? 0;
  return {
    name,
    suites: ['singles', 'latency', 'posts', 'shared', 'batch'],
    groups: { process: [pid], temporal: stage.groups.temporal, postgres: stage.groups.postgres },
    pid,
    db,
    post,
    run: (order) => run({ post, db, receiverUrl: stage.receiverUrl }, order),
    async stop() {
      await http.destroy();
      await db.end();
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

interface Means extends Pick<Perdure, 'post' | 'db'> {
  receiverUrl: string;
}

async function run({ post, db, receiverUrl }: Means, { suite, count, submitters }: Order): Promise<Done> {
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
  while ((await db.query<{ open: boolean }>(open)).rows[0]?.open) await sleep(10);
  const { rows } = await db.query("select 1 from jobs where finished_at is not null and status <> 'succeeded' limit 1");
  if (rows.length > 0) throw new Error('not every job succeeded');
}

async function ready(child: ChildProcess, origin: string): Promise<void> {
  for (const giveUpAt = Date.now() + READY_WITHIN_MS; Date.now() < giveUpAt; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`Perdure ended with ${child.exitCode}`);
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
