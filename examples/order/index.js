// Orders: charge, ask a person, ship; give the money back when shipping fails. A signed webhook tells how each ended.
import { randomBytes } from 'node:crypto';

import { verifyWebhook, workflow } from 'perdure/client';

import { perdure, startService } from '../service.js';

const secret = `whsec_${randomBytes(24).toString('base64')}`;
const refunds = [];
const told = new Map();

const shop = await startService({
  '/charges': ({ body }) => ({ id: `ch_${body.order}` }),
  '/refunds': ({ body }) => (refunds.push(body.charge), {}),
  // Whoever approves: here a rule, with you a page with two buttons.
  '/approvals': async ({ body }) => {
    await perdure.runs.signal(body.run, 'approval', { approved: body.amount < 10_000, by: 'ada' });
    return {};
  },
  '/shipments': ({ body }) => (body.order === 'o-lost' ? { status: 422, body: {} } : { tracking: `T-${body.order}` }),
  '/webhooks': async ({ raw, headers }) => {
    const { type, data } = await verifyWebhook(headers, raw, secret);
    told.set(data.id, type);
    return {};
  },
});

const order = workflow('example-order')
  .input({ type: 'object', required: ['orderId', 'amount'] })
  .step('charge', ({ ref }) => ({
    http: { url: `${shop.url}/charges`, body: { order: ref('input.orderId'), amount: ref('input.amount') } },
    compensate: ({ ref }) => ({
      http: { url: `${shop.url}/refunds`, body: { charge: ref('steps.charge.output.id') } },
    }),
  }))
  .step('ask', ({ ref }) => ({
    dependsOn: ['charge'],
    http: { url: `${shop.url}/approvals`, body: { run: ref('run.id'), amount: ref('input.amount') } },
  }))
  .step('approve', { dependsOn: ['ask'], waitFor: { signal: 'approval', timeout: '2d' } })
  .step('ship', ({ ref }) => ({
    if: 'steps.approve.output.approved',
    http: { url: `${shop.url}/shipments`, body: { order: ref('input.orderId') } },
  }))
  .with({
    onFailure: 'compensate',
    notify: [{ on: ['succeeded', 'failed'], webhook: { url: `${shop.url}/webhooks`, secret } }],
  });

await perdure.workflows.put(order);
for (const [orderId, amount] of [
  ['o-small', 1_999],
  ['o-large', 50_000],
  ['o-lost', 1_999],
]) {
  const started = await perdure.workflows.run(order, { input: { orderId, amount } });
  const run = await perdure.runs.wait(started.id);
  const steps = run.steps.map((step) => `${step.id} ${step.status}`).join(', ');
  while (!told.has(run.id)) await new Promise((resolve) => setTimeout(resolve, 50));
  console.log(`${orderId}: ${run.status} (${steps}), webhook ${told.get(run.id)}`);
}
console.log(`refunded: ${refunds.join(', ')}`);

await perdure.workflows.delete(order.name);
shop.stop();
