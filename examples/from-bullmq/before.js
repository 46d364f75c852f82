// Before: BullMQ keeps jobs in Redis, and workers of this code base take them out.
import { Queue, Worker } from 'bullmq';

import { renderThumbnail } from './tasks.js';

const connection = { host: '127.0.0.1', port: 6379 };
const queue = new Queue('thumbnails', { connection });
new Worker('thumbnails', (job) => renderThumbnail(job.data, job.id), { connection, concurrency: 10 });

await queue.add(
  'render',
  { image: 'cat.png' },
  { jobId: 'cat', attempts: 4, backoff: { type: 'exponential', delay: 100 } },
);
await queue.addBulk(
  ['a.png', 'b.png', 'c.png'].map((image) => ({ name: 'render', data: { image }, opts: { jobId: image } })),
);
await queue.add('render', { image: 'missing.png' }, { attempts: 4 });
console.log(`failed: ${(await queue.getFailed()).length}`);
