// After: the tasks are routes, the times are schedules. Any number of instances; each time runs once or says why not.
import { perdure, startService, until } from '../service.js';
import { refreshRates, sendDigest } from './tasks.js';

const service = await startService({ '/refresh-rates': () => refreshRates(), '/send-digest': () => sendDigest() });

await perdure.schedules.put('example-rates', {
  cron: '*/2 * * * * *',
  job: { name: 'refresh-rates', http: { method: 'POST', url: `${service.url}/refresh-rates` } },
});
await perdure.schedules.put('example-digest', {
  cron: '30 7 * * 1-5',
  timezone: 'Europe/Paris',
  catchupWindow: '2h',
  job: { name: 'send-digest', http: { method: 'POST', url: `${service.url}/send-digest` } },
});

const ran = await until(async () => {
  const { items } = await perdure.schedules.ticks('example-rates').page();
  const started = items.filter((tick) => tick.outcome === 'ran' && tick.jobId);
  return started.length >= 2 && started;
});
const jobs = await Promise.all(ran.map((tick) => perdure.jobs.wait(tick.jobId)));
console.log(
  `refresh-rates: ${jobs.every((job) => job.status === 'succeeded') ? 'each time succeeded' : 'a time failed'}`,
);

const digest = await perdure.schedules.trigger('example-digest');
console.log(`send-digest by hand: ${(await perdure.jobs.wait(digest.id)).status}`);

for (const id of ['example-rates', 'example-digest']) await perdure.schedules.delete(id);
service.stop();
