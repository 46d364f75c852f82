// Marker values in header, body and URL of jobs that end in every way: afterwards they are only where they may be.
// What "may" means is in docs/security.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { createDatabase, type Database } from './db/pool.ts';
import { freePort } from './stack/ports.ts';
import { type Api, createApi, eventually, type Json } from './testing/api.ts';
import { createTestDatabase } from './testing/database.ts';
import { type RunningProcess, startProcess } from './testing/process.ts';
import { type Receiver, startReceiver } from './testing/receiver.ts';
import { filesOf, findMarkers, historiesOf, rowsOf } from './testing/texts.ts';

const KEPT = 'marker-kept-1a2b3c4d';
const HEADER = 'marker-header-5e6f7a8b';
const WEBHOOK = `whsec_${Buffer.from('marker-webhook-0123456789abcdef').toString('base64')}`;
const BODY = 'marker-body-9c0d1e2f';
const QUERY = 'marker-query-3a4b5c6d';
const PATH = 'marker-path-7e8f9a0b';
/** Of a workflow, whose definition and values Temporal holds unless encryption is on. */
const STEP_BODY = 'marker-step-body-1c2d3e4f';

const SECRET = [KEPT, HEADER, WEBHOOK];
const DATA = [BODY, QUERY, PATH];

let dataDir: string;
let database: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Database;
let running: RunningProcess;
let receiver: Receiver;
let api: Api;
let temporal: { client: Client; close(): Promise<void> };
const answers: string[] = [];

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'perdure-markers-'));
  database = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
  db = createDatabase({ databaseUrl: database.databaseUrl, poolSize: 2 });
  receiver = await startReceiver();
  const temporalPort = String(await freePort());
  running = await startProcess(inject('repoRoot'), 'start', {
    DATABASE_URL: database.databaseUrl,
    PORT: '0',
    PERDURE_DATA_DIR: dataDir,
    PERDURE_TEMPORAL_PORT: temporalPort,
    PERDURE_TEMPORAL_UI_PORT: String(await freePort()),
    PERDURE_MASTER_KEY: Buffer.alloc(32, 3).toString('base64'),
    PERDURE_EGRESS: 'any',
    LOG_LEVEL: 'trace',
  });
  const connection = await Connection.connect({ address: `127.0.0.1:${temporalPort}` });
  temporal = { client: new Client({ connection }), close: () => connection.close() };
  api = listening(createApi(running.url));
  await everything();
}, 120_000);

afterAll(async () => {
  await temporal.close();
  await running.end('SIGTERM');
  await receiver.stop();
  await db.close();
  await database.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Keeps all answers. */
function listening(wrapped: Api): Api {
  const kept =
    <Args extends unknown[]>(call: (...args: Args) => ReturnType<Api['get']>) =>
    async (...args: Args) => {
      const answer = await call(...args);
      answers.push(answer.text);
      return answer;
    };
  return {
    ...wrapped,
    get: kept(wrapped.get),
    post: kept(wrapped.post),
    put: kept(wrapped.put),
  };
}

function call(path: string): Json {
  return {
    url: `${receiver.url}${path}/${PATH}?q=${QUERY}`,
    headers: { Authorization: `Bearer ${HEADER}`, 'X-Custom': { secret: 'kept', format: 'v={}' } },
    body: { data: BODY },
  };
}

async function everything(): Promise<void> {
  receiver.on('/echo', ({ headers }, response) => {
    const seen = { auth: headers.authorization, custom: headers['x-custom'] };
    response.writeHead(200, { 'content-type': 'application/json', 'x-seen': seen.auth }).end(JSON.stringify(seen));
  });
  receiver.on('/bad', (_request, response) => void response.writeHead(400).end());
  receiver.on('/flaky', (_request, response, nth) => void response.writeHead(nth % 2 ? 503 : 200).end());
  receiver.on('/broken', (_request, response) => void response.writeHead(500).end());
  await api.put('/v1/secrets/kept', { value: KEPT });
  const retry = { maxAttempts: 2, initialInterval: '50ms' };
  const notify = [{ on: ['succeeded', 'failed'], webhook: { url: `${receiver.url}/hook`, secret: WEBHOOK } }];
  const job = (path: string) => ({ http: call(path), retry, notify });

  const paths = ['/echo', '/bad', '/flaky', '/broken'];
  for (const path of paths) await finished('/v1/jobs', job(path), { 'idempotency-key': path });
  // Nobody listens there.
  await finished('/v1/jobs', {
    http: { ...call('/'), url: `http://127.0.0.1:${await freePort()}/${PATH}?q=${QUERY}` },
    retry,
  });
  await finished('/v1/batches', { items: paths.map(job) });
  await api.put('/v1/schedules/marked', { every: '1h', job: job('/echo') });
  await finished('/v1/schedules/marked/trigger');
  const http = { ...call('/echo'), body: { step: STEP_BODY }, url: `${receiver.url}/echo` };
  const computed = { ...http, headers: { ...http.headers, Authorization: 'Bearer ${ steps.a.output.ok }' } };
  await api.put('/v1/workflows/marked', {
    steps: [
      { id: 'a', http: { url: `${receiver.url}/plain` } },
      { id: 'b', http },
      { id: 'c', http: computed },
      { id: 'each', forEach: [1, 2], http },
    ],
    notify: [{ on: ['succeeded', 'failed'], webhook: { url: `${receiver.url}/hook`, secret: WEBHOOK } }],
  });
  await finished('/v1/workflows/marked/runs', { input: {} });
  const letters = await api.get('/v1/dead-letters');
  for (const { id } of letters.body.items) await finished(`/v1/dead-letters/${id}/redrive`, {});
  for (const list of ['jobs', 'batches', 'schedules', 'workflows', 'runs', 'dead-letters', 'secrets', 'audit']) {
    await api.get(`/v1/${list}`);
  }
  await eventually(async () => {
    const [open] = await db.query('select 1 from notifications where due_at is not null limit 1');
    return open === undefined;
  });
}

async function finished(path: string, body?: Json, headers: Record<string, string> = {}): Promise<void> {
  const made = await api.post(path, body, { ...headers, prefer: 'wait=20' });
  expect(made.status, made.text).toBe(201);
  expect(made.body.finishedAt, made.text).not.toBeNull();
}

test('the targets got everything', () => {
  const [first] = receiver.at(`/echo/${PATH}?q=${QUERY}`);
  expect(first?.headers).toMatchObject({ authorization: `Bearer ${HEADER}`, 'x-custom': `v=${KEPT}` });
  expect(first?.body).toContain(BODY);
  const steps = receiver.at('/echo').map(({ headers }) => headers.authorization);
  expect(steps.sort()).toEqual([`Bearer ${HEADER}`, `Bearer ${HEADER}`, `Bearer ${HEADER}`, 'Bearer true']);
  const hooks = receiver.at('/hook');
  expect(hooks.length).toBeGreaterThan(6);
  expect(hooks.every(({ headers }) => headers['webhook-signature'])).toBe(true);
});

test('no log, metric, answer or webhook holds a secret, and neither log nor metric anything else of a call', async () => {
  const { text: metrics } = await createApi(running.url).get('/metrics');
  const seen = new Map([
    ['logs', running.output()],
    ['metrics', metrics],
  ]);
  expect(running.output()).toContain('"level"');
  expect(findMarkers(seen, [...SECRET, ...DATA, STEP_BODY])).toEqual([]);
  const told = new Map([
    ['answers', answers.join('\n')],
    [
      'webhooks',
      receiver
        .at('/hook')
        .map(({ body }) => body)
        .join('\n'),
    ],
  ]);
  expect(told.get('webhooks')).toContain('job.failed');
  expect(findMarkers(told, SECRET)).toEqual([]);
});

test('no row holds a secret; bodies and URLs are with what they belong to, and not in dead letters', async () => {
  const rows = await rowsOf(db);
  expect(findMarkers(rows, SECRET)).toEqual([]);
  expect(rows.get('jobs')).toContain('sealed');
  const MAY = ['jobs', 'schedules', 'workflows', 'idempotency_keys'];
  const elsewhere = new Map([...rows].filter(([table]) => !MAY.includes(table)));
  expect(elsewhere.get('dead_letters')).toContain('attemptsExhausted');
  expect(findMarkers(elsewhere, [BODY, QUERY, STEP_BODY])).toEqual([]);
});

test('Temporal knows of no secret, and of no call of a job; only of what workflows compute', async () => {
  const histories = await historiesOf(temporal.client);
  expect(histories.size).toBeGreaterThan(10);
  expect(findMarkers(histories, [...SECRET, ...DATA])).toEqual([]);
  expect([...histories.values()].join('\n')).toContain(STEP_BODY);
  const files = filesOf(dataDir);
  expect([...files.keys()].join()).toContain('temporal');
  expect(findMarkers(files, [...SECRET, ...DATA])).toEqual([]);
});
