// A report every night at 2:30 in Paris: the schedule starts a workflow that gathers, writes and sends it.
import { workflow } from 'perdure/client';

import { perdure, startService, until } from '../service.js';

const office = await startService({
  '/sales': () => ({ orders: 3, total: 4200 }),
  '/returns': () => ({ orders: 1, total: 300 }),
  '/mail': ({ body }) => (console.log(`mail to ${body.to}: ${body.text}`), {}),
});

const report = workflow('example-report')
  .step('sales', { http: { url: `${office.url}/sales` } })
  .step('returns', { http: { url: `${office.url}/returns` }, onError: 'continue' })
  .step('text', ({ expr }) => ({
    transform: `${expr('steps.sales.output.orders')} orders, ${expr('steps.sales.output.total - steps.returns.output.total')} net`,
  }))
  .step('mail', ({ ref }) => ({
    forEach: ref('input.recipients'),
    as: 'to',
    http: { url: `${office.url}/mail`, body: { to: '${ to }', text: ref('steps.text.output') } },
  }));

const time = { cron: '30 2 * * *', timezone: 'Europe/Paris' };
const { fireTimes } = await perdure.schedules.preview({ ...time, count: 2, from: '2026-03-27T12:00:00Z' });
console.log(`fires at ${fireTimes.join(' and ')}`);

await perdure.workflows.put(report);
await perdure.schedules.put('example-report', {
  ...time,
  catchupWindow: '6h',
  pauseAfterFailures: 3,
  workflow: { name: report.name, input: { recipients: ['ada@example.com'] } },
});

// Not to wait for the night.
const triggered = await perdure.schedules.trigger('example-report');
const run = await perdure.runs.wait(triggered.id);
console.log(`run: ${run.status}`);
const { items } = await until(async () => {
  const page = await perdure.schedules.ticks('example-report').page();
  return page.items.length > 0 && page;
});
console.log(`ledger: ${items.map((tick) => tick.outcome).join(', ')}`);

await perdure.schedules.delete('example-report');
await perdure.workflows.delete(report.name);
office.stop();
