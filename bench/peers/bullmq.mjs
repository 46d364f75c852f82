// BullMQ on a Redis that keeps what it is given: append-only file, synced every second, as its docs advise.
import { Queue, Worker } from 'bullmq';

import { call, CONCURRENCY, ended, serve } from './serve.mjs';
import { freePort, makeFolder, startServer } from './server.mjs';

const { REDIS_SERVER = 'redis-server' } = process.env;

const port = await freePort();
const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', makeFolder(), '--save', ''];
const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
await startServer(REDIS_SERVER, [...args, '--appendonly', 'yes', '--appendfsync', 'everysec'], {
  isReady: async () => {
    const queue = new Queue('probe', { connection: { ...connection, retryStrategy: () => null } });
    queue.on('error', () => {});
    return queue.waitUntilReady().then(
      () => queue.close().then(() => true),
      () => false,
    );
  },
});
const queue = new Queue('calls', { connection, defaultJobOptions: { attempts: 5 } });
const worker = new Worker('calls', ({ data }) => call(data.n), { connection, concurrency: CONCURRENCY });
worker.on('completed', () => ended());
await worker.waitUntilReady();

serve({
  submit: (n) => queue.add('call', { n }),
  submitMany: (ns) => queue.addBulk(ns.map((n) => ({ name: 'call', data: { n } }))),
  usesPostgres: false,
});
