// After: the worker is a route, jobId is the Idempotency-Key, addBulk is a batch, the failed set is the dead letters.
import { randomUUID } from 'node:crypto';

import { perdure, startService } from '../service.js';
import { renderThumbnail } from './tasks.js';

const service = await startService({
  '/thumbnails': ({ body, headers }) => {
    try {
      return renderThumbnail(body, headers['idempotency-key']);
    } catch (error) {
      // What no retry mends is a 4xx; all else is tried again.
      return { status: error instanceof RangeError ? 422 : 500, body: { message: error.message } };
    }
  },
});
const name = `thumbnails-${randomUUID()}`;
const job = (image) => ({
  name,
  http: { url: `${service.url}/thumbnails`, body: { image } },
  retry: { maxAttempts: 4, initialInterval: '100ms', backoffCoefficient: 2 },
});

const cat = await perdure.jobs.submit(job('cat.png'), { idempotencyKey: `${name}-cat`, wait: true });
const twice = await perdure.jobs.submit(job('cat.png'), { idempotencyKey: `${name}-cat` });
console.log(
  `cat: ${cat.status} after ${cat.attempts} attempts, added twice: ${twice.id === cat.id ? 'one job' : 'two jobs'}`,
);

const items = ['a.png', 'b.png', 'c.png'].map((image) => ({ key: image, ...job(image) }));
const batch = await perdure.batches.create({ items, concurrency: 10 });
console.log(`bulk: ${(await perdure.batches.wait(batch.id)).counts.succeeded} succeeded`);

await perdure.jobs.submit(job('missing.png'), { wait: true });
const { items: failed } = await perdure.deadLetters.list({ name }).page();
console.log(`failed: ${failed.map((letter) => letter.reason).join(', ')}`);
service.stop();
