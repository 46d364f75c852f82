// One API process, workers that come and go, and the jobs sent through them: what the fault tests share.
import { inject } from 'vitest';

import { type Api, createApi, eventually, type Json } from './api.ts';
import { createTestDatabase } from './database.ts';
import { type RunningProcess, startProcess } from './process.ts';

export interface Fleet {
  api: Api;
  workers: RunningProcess[];
  /** `more` is for this worker alone. */
  startWorker(more?: Record<string, string>): Promise<RunningProcess>;
  /** Submits `count` jobs built by `spec`; all of them must be accepted. */
  submit(count: number, spec: (n: number) => object): Promise<string[]>;
  /** The jobs, when all of them are final. */
  finalJobs(ids: string[], timeoutMs?: number): Promise<Json[]>;
  killWorkers(): Promise<void>;
  stop(): Promise<void>;
}

/** Submissions at a time; more would measure the client. */
const PARALLEL = 32;

export async function startFleet({
  temporalAddress = inject('temporalAddress'),
  ...more
}: { temporalAddress?: string } & Record<string, string> = {}): Promise<Fleet> {
  const database = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
  const environment = {
    DATABASE_URL: database.databaseUrl,
    TEMPORAL_ADDRESS: temporalAddress,
    PERDURE_TASK_QUEUE: `fleet-${process.pid}-${Date.now()}`,
    PERDURE_EGRESS: 'any',
    PERDURE_SHUTDOWN_GRACE: '10s',
    PORT: '0',
    ...more,
  };
  const server = await startProcess(inject('repoRoot'), 'api', environment);
  const api = createApi(server.url);
  const workers: RunningProcess[] = [];
  const killWorkers = async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.end('SIGKILL')));
  };
  return {
    api,
    workers,
    killWorkers,
    async startWorker(own = {}) {
      const worker = await startProcess(inject('repoRoot'), 'worker', { ...environment, ...own });
      workers.push(worker);
      return worker;
    },
    async submit(count, spec) {
      const ids = new Array<string>(count);
      let next = 0;
      const lane = async () => {
        for (let n = next++; n < count; n = next++) {
          const { status, body } = await api.post('/v1/jobs', spec(n));
          if (status !== 201) throw new Error(`submission ${n} was answered ${status}: ${JSON.stringify(body)}`);
          ids[n] = body.id;
        }
      };
      await Promise.all(Array.from({ length: PARALLEL }, lane));
      return ids;
    },
    async finalJobs(ids, timeoutMs = 60_000) {
      const wanted = new Set(ids);
      return eventually(
        async () => {
          const jobs = (await allJobs(api)).filter(({ id }) => wanted.has(id));
          return jobs.length === wanted.size && jobs.every(({ finishedAt }) => finishedAt !== null) && jobs;
        },
        { timeoutMs, what: 'every job is final' },
      );
    },
    async stop() {
      await killWorkers();
      await server.end('SIGKILL');
      await database.drop();
    },
  };
}

export async function allPages(api: Api, path: string): Promise<Json[]> {
  const items: Json[] = [];
  let cursor: string | null = null;
  do {
    const page = await api.get(`${path}${path.includes('?') ? '&' : '?'}limit=200${cursor ? `&cursor=${cursor}` : ''}`);
    items.push(...page.body.items);
    cursor = page.body.nextCursor;
  } while (cursor);
  return items;
}

function allJobs(api: Api): Promise<Json[]> {
  return allPages(api, '/v1/jobs');
}
