// BullMQ on a Redis that keeps what it is given: append-only file, synced every second as its docs advise, or before each answer.
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

import { call, CONCURRENCY, ended, serve } from './serve.mjs';
import { accepts, freePort, makeFolder, startServer } from './server.mjs';

const { REDIS_SERVER = 'redis-server', REDIS_FSYNC = 'everysec' } = process.env;

const port = await freePort();
const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', makeFolder(), '--save', ''];
await startServer(REDIS_SERVER, [...args, '--appendonly', 'yes', '--appendfsync', REDIS_FSYNC], {
  isReady: () => accepts(port),
});
const newConnection = () => new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: null });
const queue = new Queue('calls', { connection: newConnection(), defaultJobOptions: { attempts: 5 } });
const worker = new Worker('calls', ({ data }) => call(data.n), {
  connection: newConnection(),
  concurrency: CONCURRENCY,
});
worker.on('completed', () => ended());
await worker.waitUntilReady();

serve({
  submit: (n) => queue.add('call', { n }),
  submitMany: (ns) => queue.addBulk(ns.map((n) => ({ name: 'call', data: { n } }))),
  usesPostgres: false,
});
