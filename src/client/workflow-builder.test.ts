// The `@ts-expect-error` lines are the type tests: `npm run types` fails when one of them compiles.
import { expect, expectTypeOf, test } from 'vitest';

import { Perdure, workflow } from './index.ts';
import { startFakeService } from './testing/fake-service.ts';

interface Order {
  orderId: string;
  customer: { email: string };
  recipients: string[];
}

const http = { url: 'https://pay.example/charges' };

const order = workflow('order')
  .input<Order>({ type: 'object' })
  .step('charge', ({ ref }) => ({
    http: { ...http, body: { order: ref('input.orderId'), to: ref('input.customer.email') } },
    compensate: ({ ref }) => ({ http: { ...http, body: { charge: ref('steps.charge.output.id') } } }),
  }))
  .step('approve', { dependsOn: ['charge'], waitFor: { signal: 'approval', timeout: '2d' } })
  .step('mail', ({ ref, expr }) => ({
    dependsOn: ['approve'],
    forEach: ref('input.recipients'),
    as: 'to',
    http: { ...http, body: { to: expr('to') } },
    onError: 'continue',
  }))
  .with(({ ref }) => ({ output: { charge: ref('steps.charge.output.id') }, onFailure: 'compensate' }));

test('the builder makes the definition of the contract', () => {
  expect(order.definition()).toEqual({
    input: { schema: { type: 'object' } },
    steps: [
      {
        id: 'charge',
        http: { ...http, body: { order: '${ input.orderId }', to: '${ input.customer.email }' } },
        compensate: { http: { ...http, body: { charge: '${ steps.charge.output.id }' } } },
      },
      { id: 'approve', dependsOn: ['charge'], waitFor: { signal: 'approval', timeout: '2d' } },
      {
        id: 'mail',
        dependsOn: ['approve'],
        forEach: '${ input.recipients }',
        as: 'to',
        http: { ...http, body: { to: '${ to }' } },
        onError: 'continue',
      },
    ],
    output: { charge: '${ steps.charge.output.id }' },
    onFailure: 'compensate',
  });
});

test('a step added to a builder leaves the builder as it was', () => {
  const base = workflow('base').step('a', { http });
  base.step('b', { http });
  expect(base.definition().steps).toHaveLength(1);
});

test('a built workflow is stored and run under its name', async () => {
  await using service = await startFakeService(() => ({ body: { id: 'run_1', status: 'queued', version: 1 } }));
  const client = new Perdure({ baseUrl: service.url });
  await client.workflows.put(order);
  await client.workflows.run(order, { input: { orderId: '1', customer: { email: 'a@b.c' }, recipients: [] } });
  expect(service.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'PUT /v1/workflows/order',
    'POST /v1/workflows/order/runs',
  ]);
  expect(JSON.parse(service.seen[0]?.body ?? '')).toEqual(order.definition());
});

test('wrong references do not compile', () => {
  const one = workflow('one').input<Order>().step('charge', { http });
  // @ts-expect-error -- no step of this name
  one.step('ship', { dependsOn: ['chrage'], http });
  // @ts-expect-error -- a step cannot wait for itself
  one.step('ship', { dependsOn: ['ship'], http });
  // @ts-expect-error -- the first step has none before it
  workflow('two').step('first', { dependsOn: ['charge'], http });
  // @ts-expect-error -- the name is taken
  one.step('charge', { http });
  // @ts-expect-error -- no step of this name
  one.step('ship', ({ ref }) => ({ http: { url: ref('steps.chrage.output') } }));
  // @ts-expect-error -- its own output is there for `compensate` only
  one.step('ship', ({ ref }) => ({ http: { url: ref('steps.ship.output') } }));
  // @ts-expect-error -- the input has no such field
  one.step('ship', ({ ref }) => ({ http: { url: ref('input.orderID') } }));
  // @ts-expect-error -- nor such a nested one
  one.step('ship', ({ ref }) => ({ http: { url: ref('input.customer.mail') } }));
  // @ts-expect-error -- one kind a step
  one.step('ship', { http, wait: { for: '1h' } });
  // @ts-expect-error -- a step has a kind
  one.step('ship', { dependsOn: ['charge'] });
  // @ts-expect-error -- the output names a step that is not there
  one.with(({ ref }) => ({ output: ref('steps.ship.output') }));
  expect(one.definition().steps).toHaveLength(1);
});

test('wrong inputs and jobs do not compile', () => {
  const never = () => {
    const client = new Perdure({ baseUrl: 'http://x' });
    // @ts-expect-error -- the input is an Order
    void client.workflows.run(order, { input: { orderId: 1 } });
    // @ts-expect-error -- a URL is required
    void client.jobs.submit({ http: { method: 'GET' } });
    // @ts-expect-error -- `runAt` and `delay` exclude each other
    void client.jobs.submit({ http, runAt: new Date(), delay: '1s' });
    // @ts-expect-error -- one body
    void client.jobs.submit({ http: { url: 'x', body: 1, bodyText: 'x' } });
    // @ts-expect-error -- unknown fields are refused
    void client.jobs.submit({ http, retires: {} });
    // @ts-expect-error -- a schedule's job has no delay
    void client.schedules.put('s', { cron: '* * * * *', job: { http, delay: '1s' } });
    // @ts-expect-error -- one of cron, every, at
    void client.schedules.put('s', { cron: '* * * * *', every: '1h', job: { http } });
    // @ts-expect-error -- no such status
    void client.jobs.list({ status: 'done' });
  };
  expectTypeOf(never).toBeFunction();
});
