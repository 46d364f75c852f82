// Before: pg-boss keeps jobs in this application's PostgreSQL, and workers of this code base take them out.
import { PgBoss } from 'pg-boss';

import { syncCustomer } from './tasks.js';

const boss = new PgBoss('postgres://localhost/app');
await boss.start();
await boss.createQueue('sync-failed');
await boss.createQueue('sync', { retryLimit: 2, retryDelay: 1, retryBackoff: true, deadLetter: 'sync-failed' });
await boss.work('sync', async ([job]) => syncCustomer(job.data));

await boss.send('sync', { customer: 'ada' }, { singletonKey: 'ada', singletonSeconds: 3600 });
await boss.send('sync', { customer: 'bob' }, { startAfter: 1 });
await boss.send('sync', { customer: 'nobody' });
await boss.schedule('sync', '0 4 * * *', { customer: 'all' }, { tz: 'Europe/Paris' });
