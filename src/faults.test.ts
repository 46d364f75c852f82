// What holds when processes die: workers and APIs of their own, killed and stopped in the middle of their work.
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';

import { type Api, createApi, eventually, type Json } from './testing/api.ts';
import { createTestDatabase } from './testing/database.ts';
import { type RunningProcess, startProcess } from './testing/process.ts';
import { type Receiver, startReceiver } from './testing/receiver.ts';

const JOBS = 60;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let receiver: Receiver;
let api: Api;
let environment: Record<string, string>;
let apiProcess: RunningProcess;
const workers: RunningProcess[] = [];

beforeAll(async () => {
  database = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
  receiver = await startReceiver();
  environment = {
    DATABASE_URL: database.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    PERDURE_TASK_QUEUE: `faults-${process.pid}-${Date.now()}`,
    PERDURE_EGRESS: 'any',
    PERDURE_SHUTDOWN_GRACE: '10s',
    PORT: '0',
  };
  apiProcess = await startProcess(inject('repoRoot'), 'api', environment);
  api = createApi(apiProcess.url);
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.end('SIGKILL')));
});
afterAll(async () => {
  await apiProcess.end('SIGKILL');
  await receiver.stop();
  await database.drop();
});

async function startWorker(): Promise<RunningProcess> {
  const worker = await startProcess(inject('repoRoot'), 'worker', environment);
  workers.push(worker);
  return worker;
}

async function submit(name: string, count: number, delivery: string): Promise<string[]> {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, n) =>
      api.post('/v1/jobs', {
        name,
        delivery,
        http: { method: 'POST', url: `${receiver.url}/${name}/${n}` },
        retry: { initialInterval: '100ms' },
      }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  return answers.map(({ body }) => body.id as string);
}

function jobsOf(ids: string[]): Promise<Json[]> {
  return Promise.all(ids.map(async (id) => (await api.get(`/v1/jobs/${id}`)).body));
}

async function finalJobs(ids: string[], timeoutMs = 60_000): Promise<Json[]> {
  return eventually(
    async () => {
      const jobs = await jobsOf(ids);
      return jobs.every(({ finishedAt }) => finishedAt !== null) && jobs;
    },
    { timeoutMs, what: 'every job is final' },
  );
}

/** Answers only after `ms`, so that a death finds the call under way. */
function slowly(ms: number) {
  return (_request: unknown, response: { end(body: string): void }) => void setTimeout(() => response.end('done'), ms);
}

describe('a worker killed in the middle of its calls', () => {
  test('atLeastOnce: nothing is lost, and what is sent again carries the same key', async () => {
    receiver.on('/alo', slowly(1_500));
    const worker = await startWorker();
    const ids = await submit('alo', JOBS, 'atLeastOnce');
    await eventually(() => receiver.received.filter(({ path }) => path.startsWith('/alo/')).length >= JOBS / 2);
    const inFlight = receiver.received.filter(({ path }) => path.startsWith('/alo/')).length;
    await worker.end('SIGKILL');
    await startWorker();
    const jobs = await finalJobs(ids);
    expect(jobs.filter(({ status }) => status !== 'succeeded')).toEqual([]);
    const sends = receiver.received.filter(({ path }) => path.startsWith('/alo/'));
    for (const { path, headers } of sends) {
      expect(headers['idempotency-key']).toBe(ids[Number(path.split('/')[2])]);
    }
    expect(sends.length - JOBS).toBeLessThanOrEqual(Math.max(inFlight, JOBS));
  });

  test('atMostOnce: nothing is sent twice; what was under way is unknown and in the dead letters', async () => {
    receiver.on('/amo', slowly(1_500));
    const worker = await startWorker();
    const ids = await submit('amo', JOBS, 'atMostOnce');
    await eventually(() => receiver.received.filter(({ path }) => path.startsWith('/amo/')).length >= JOBS / 2);
    await worker.end('SIGKILL');
    await startWorker();
    const jobs = await finalJobs(ids);
    const sends = receiver.received.filter(({ path }) => path.startsWith('/amo/'));
    expect(new Set(sends.map(({ path }) => path)).size).toBe(sends.length);
    const unknown = jobs.filter(({ status }) => status === 'unknown');
    expect(unknown.length).toBeGreaterThan(0);
    expect(jobs.filter(({ status }) => status !== 'unknown' && status !== 'succeeded')).toEqual([]);
    const { body } = await api.get('/v1/dead-letters?reason=outcomeUnknown&limit=200');
    const dead = new Set(body.items.map(({ jobId }: Json) => jobId));
    expect(unknown.filter(({ id }) => !dead.has(id))).toEqual([]);
  });
});

test('a worker told to stop cuts no call and repeats none', async () => {
  receiver.on('/term', slowly(2_000));
  const worker = await startWorker();
  const ids = await submit('term', JOBS, 'atLeastOnce');
  await eventually(() => receiver.received.filter(({ path }) => path.startsWith('/term/')).length >= JOBS / 2);
  expect(await worker.end('SIGTERM')).toBe(0);
  await startWorker();
  const jobs = await finalJobs(ids);
  expect(jobs.filter(({ status, attempts }) => status !== 'succeeded' || attempts !== 1)).toEqual([]);
  expect(receiver.received.filter(({ path }) => path.startsWith('/term/'))).toHaveLength(JOBS);
});

test('jobs accepted while no worker runs wait for one', async () => {
  const ids = await submit('later', 5, 'atLeastOnce');
  const waiting = await jobsOf(ids);
  expect(waiting.map(({ status }) => status)).toEqual(waiting.map(() => 'queued'));
  await startWorker();
  const jobs = await finalJobs(ids);
  expect(jobs.map(({ status }) => status)).toEqual(jobs.map(() => 'succeeded'));
});
