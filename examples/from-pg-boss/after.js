// After: the worker is a route, singletonKey is the Idempotency-Key (and holds longer than an hour), startAfter is a delay, the dead letter queue is there already.
import { randomUUID } from 'node:crypto';

import { perdure, startService } from '../service.js';
import { customers, syncCustomer } from './tasks.js';

const service = await startService({
  '/sync': ({ body }) => {
    try {
      return syncCustomer(body);
    } catch (error) {
      return { status: 500, body: { message: error.message } };
    }
  },
});
const name = `sync-${randomUUID()}`;
const job = (customer) => ({
  name,
  http: { url: `${service.url}/sync`, body: { customer } },
  retry: { maxAttempts: 3, initialInterval: '100ms' },
});

const ada = await perdure.jobs.submit(job('ada'), { idempotencyKey: `${name}-ada`, wait: true });
const bob = await perdure.jobs.submit({ ...job('bob'), delay: '1s' }, { wait: true });
console.log(`ada: ${ada.status}, bob, a second later: ${bob.status}`);

const nobody = await perdure.jobs.submit(job('nobody'), { wait: true });
const { items } = await perdure.deadLetters.list({ name }).page();
console.log(`nobody: ${nobody.status} after ${nobody.attempts} attempts, dead letters: ${items.length}`);

// Mended: the dead letter is driven again.
customers.add('nobody');
const again = await perdure.deadLetters.redrive(items[0].id);
console.log(`nobody again: ${(await perdure.jobs.wait(again.id)).status}`);

const schedule = await perdure.schedules.put('example-sync', {
  cron: '0 4 * * *',
  timezone: 'Europe/Paris',
  job: job('all'),
});
console.log(`every night: ${schedule.nextFireTimes.length} times ahead`);
await perdure.schedules.delete('example-sync');
service.stop();
