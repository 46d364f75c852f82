// graphile-worker, tuned by its docs: a local queue, results written in batches.
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';

import { call, CONCURRENCY, DATABASE_URL, ended, serve } from './serve.mjs';

const runner = await run({
  preset: {
    worker: {
      connectionString: DATABASE_URL,
      // A line for each task would be a good part of its cost.
      logger: new Logger(() => () => {}),
      maxPoolSize: 20,
      concurrentJobs: CONCURRENCY,
      pollInterval: 500,
      localQueue: { size: 2 * CONCURRENCY },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
  noHandleSignals: true,
  parsedCronItems: [],
  taskList: { call: ({ n }) => call(n).then(() => {}) },
});
const utils = await makeWorkerUtils({ connectionString: DATABASE_URL });
// Said when the end of a job is put into the next batch of ends, not when it is written: see `settle`.
runner.events.on('job:complete', () => ended());
const db = new pg.Pool({ connectionString: DATABASE_URL, max: 1 });

serve({
  submit: (n) => runner.addJob('call', { n }),
  submitMany: (ns) => utils.addJobs(ns.map((n) => ({ identifier: 'call', payload: { n } }))),
  async settle() {
    const open = 'select exists (select 1 from graphile_worker._private_jobs) as open';
    while ((await db.query(open)).rows[0].open) await new Promise((resolve) => setTimeout(resolve, 10));
  },
});
