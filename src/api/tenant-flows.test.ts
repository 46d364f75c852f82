// With authentication on, whole flows of a tenant that is not the default one: from the token to the final state and the audit.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { AUTH_ENVIRONMENT, bearer, signToken } from '../testing/access.ts';
import { createApi, eventually, type Json } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { answer, type Receiver, startReceiver } from '../testing/receiver.ts';

let instance: Instance;
let receiver: Receiver;
let acme: ReturnType<typeof as>;
beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(AUTH_ENVIRONMENT), startReceiver()]);
  acme = as(bearer(await signToken({ sub: 'wile', tenant: 'acme', scope: 'admin' })));
});
afterAll(async () => {
  await instance.stop();
  await receiver.stop();
});

function as(token: { authorization: string }) {
  const api = createApi(instance.url);
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Json> => {
    const answered = await api.call(method, path, body, { ...token, ...headers });
    expect(answered.status, `${method} ${path}: ${answered.text}`).toBeLessThan(300);
    return answered.body;
  };
  const actionsOn = async (target: string): Promise<string[]> =>
    (await call('GET', `/v1/audit?target=${target}`)).items.map((row: Json) => row.action).reverse();
  return { call, actionsOn };
}

test('a job runs to its end, and its acceptance is in the audit log of its tenant', async () => {
  const spec = { http: { url: `${receiver.url}/job` } };
  const job = await acme.call('POST', '/v1/jobs', spec, { prefer: 'wait=20', 'idempotency-key': 'one' });
  expect(job).toMatchObject({ status: 'succeeded', result: { status: 200 } });
  const again = await acme.call('POST', '/v1/jobs', spec, { 'idempotency-key': 'one' });
  expect(again.id).toBe(job.id);
  const { items } = await acme.call('GET', `/v1/audit?target=${job.id}`);
  expect(items.map((row: Json) => [row.actor, row.action, row.detail])).toEqual([
    ['wile', 'job.create', { status: 200, replayed: true }],
    ['wile', 'job.create', { status: 201 }],
  ]);
  expect(receiver.at('/job')).toHaveLength(1);
});

test('the same idempotency key is another one for another tenant', async () => {
  const other = as(bearer(await signToken({ tenant: 'other' })));
  const spec = { http: { url: `${receiver.url}/shared-key` } };
  const [first, second] = await Promise.all(
    [acme, other].map(({ call }) => call('POST', '/v1/jobs', spec, { prefer: 'wait=20', 'idempotency-key': 'shared' })),
  );
  expect(first.id).not.toBe(second.id);
  expect(receiver.at('/shared-key')).toHaveLength(2);
});

test('a schedule fires jobs whose ids begin with the tenant', async () => {
  await acme.call('PUT', '/v1/schedules/tick', { every: '1s', job: { http: { url: `${receiver.url}/tick` } } });
  const tick = await eventually(async () => {
    const { items } = await acme.call('GET', '/v1/schedules/tick/ticks');
    return items.find(({ outcome }: Json) => outcome === 'ran');
  });
  await acme.call('POST', '/v1/schedules/tick/pause', { note: 'enough' });
  expect(tick.jobId).toBe(`acme.tick-${tick.nominalTime}`);
  const job = await acme.call('GET', `/v1/jobs/${tick.jobId}?wait=20s`);
  expect(job).toMatchObject({ scheduleId: 'tick', status: 'succeeded' });
  const triggered = await acme.call('POST', '/v1/schedules/tick/trigger', {}, { prefer: 'wait=20' });
  expect(triggered.id).toMatch(/^acme\.tick-t-/);
  await acme.call('DELETE', '/v1/schedules/tick');
  expect(await acme.actionsOn('tick')).toEqual([
    'schedule.put',
    'schedule.pause',
    'schedule.trigger',
    'schedule.delete',
  ]);
});

test('a run waits for its signal and ends; a batch ends; a dead letter is redriven', async () => {
  const steps = [
    { id: 'go', waitFor: { signal: 'go', timeout: '1m' } },
    { id: 'call', dependsOn: ['go'], http: { url: `${receiver.url}/step` } },
  ];
  await acme.call('PUT', '/v1/workflows/flow', { steps });
  const run = await acme.call('POST', '/v1/workflows/flow/runs', {});
  await acme.call('POST', `/v1/runs/${run.id}/signals/go`, { yes: true });
  expect(await acme.call('GET', `/v1/runs/${run.id}?wait=30s`)).toMatchObject({ status: 'succeeded' });
  expect(await acme.actionsOn(run.id)).toEqual(['run.create', 'run.signal']);
  const { items } = await acme.call('GET', `/v1/audit?target=${run.id}`);
  expect(items.map((row: Json) => row.detail)).toEqual([
    { status: 202, signal: 'go' },
    { status: 201, from: 'flow' },
  ]);

  const batchSpec = { items: [1, 2, 3].map((n) => ({ http: { url: `${receiver.url}/item/${n}` } })) };
  const batch = await acme.call('POST', '/v1/batches', batchSpec, { prefer: 'wait=30' });
  expect(batch).toMatchObject({ status: 'finished', counts: { succeeded: 3 } });

  receiver.on('/fails', answer(404));
  const failing = { http: { url: `${receiver.url}/fails` } };
  const failed = await acme.call('POST', '/v1/jobs', failing, { prefer: 'wait=20' });
  const letters = (await acme.call('GET', '/v1/dead-letters')).items;
  const letter = letters.find(({ jobId }: Json) => jobId === failed.id);
  const patch = { http: { url: `${receiver.url}/redriven` } };
  const redriven = await acme.call('POST', `/v1/dead-letters/${letter.id}/redrive`, { patch }, { prefer: 'wait=20' });
  expect(redriven).toMatchObject({ status: 'succeeded', redriveOf: failed.id });
  const [row] = (await acme.call('GET', `/v1/audit?target=${letter.id}`)).items;
  expect(row).toMatchObject({ action: 'deadLetter.redrive', detail: { made: redriven.id } });
});
