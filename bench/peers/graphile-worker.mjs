// graphile-worker, tuned by its docs: a local queue, results written in batches.
import { Logger, makeWorkerUtils, run } from 'graphile-worker';

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
// When the row is gone, not when the call is made.
runner.events.on('job:complete', () => ended());

serve({
  submit: (n) => runner.addJob('call', { n }),
  submitMany: (ns) => utils.addJobs(ns.map((n) => ({ identifier: 'call', payload: { n } }))),
});
