// pg-boss, tuned by its docs: woken by NOTIFY, fetching in batches, without a pause while they come back full.
import pg from 'pg';
import { PgBoss } from 'pg-boss';

import { call, CONCURRENCY, DATABASE_URL, ended, serve } from './serve.mjs';

const QUEUE = 'calls';
const WORKERS = 4;

const boss = new PgBoss({ connectionString: DATABASE_URL, max: 20, useListenNotify: true });
boss.on('error', (error) => console.error(error.message));
await boss.start();
await boss.createQueue(QUEUE, { notify: true });
await boss.work(
  QUEUE,
  {
    batchSize: CONCURRENCY / WORKERS,
    localConcurrency: WORKERS,
    pollingIntervalSeconds: 0.5,
    burstWhenBatchFull: true,
  },
  async (jobs) => {
    await Promise.all(jobs.map(({ data }) => call(data.n)));
    ended(jobs.length);
  },
);
const db = new pg.Pool({ connectionString: DATABASE_URL, max: 1 });

serve({
  submit: (n) => boss.send(QUEUE, { n }),
  submitMany: (ns) =>
    boss.insert(
      QUEUE,
      ns.map((n) => ({ data: { n } })),
    ),
  async settle() {
    const open = "select exists (select 1 from pgboss.job where name = $1 and state < 'completed') as open";
    while ((await db.query(open, [QUEUE])).rows[0].open) await new Promise((resolve) => setTimeout(resolve, 10));
  },
});
