// Runs end to end: over REST, through PostgreSQL and Temporal, to a real target.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type Api, createApi, eventually, type Json } from '../../testing/api.ts';
import { type Instance, startInstance } from '../../testing/instance.ts';
import { answer, type Receiver, startReceiver } from '../../testing/receiver.ts';
import { createRunTools, JSON_ANSWER, statuses, stepOf, unique } from '../../testing/runs.ts';

let instance: Instance;
let receiver: Receiver;
let api: Api;
const { define, start, ended, read } = createRunTools(() => api);

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
  api = createApi(instance.url);
});
afterAll(async () => {
  await instance?.stop();
  await receiver?.stop();
});

const once = { maxAttempts: 1 };
const http = (path: string, more: Json = {}) => ({ url: `${receiver.url}${path}`, ...more });

describe('a chain', () => {
  test('hands the output of one step to the next, under outbound keys of its own', async () => {
    const path = unique('/chain');
    receiver.on(`${path}/one`, answer(200, JSON_ANSWER, '{"id":41}'));
    const run = await start(
      {
        steps: [
          { id: 'one', http: http(`${path}/one`, { method: 'POST', body: { order: '${ input.order }' } }) },
          { id: 'two', http: http(`${path}/two?n=\${ steps.one.output.id + 1 }`) },
        ],
        output: { n: '${ steps.one.output.id }' },
      },
      { input: { order: 7 }, labels: { team: 'a' } },
    );
    expect(run).toMatchObject({ status: 'queued', version: 1, steps: [{ status: 'pending' }, { status: 'pending' }] });
    const done = await ended(run.id);
    expect(done, JSON.stringify(done)).toMatchObject({ status: 'succeeded', output: { n: 41 }, error: null });
    expect(statuses(done)).toEqual({ one: 'succeeded', two: 'succeeded' });
    expect(receiver.at(`${path}/one`)[0]).toMatchObject({
      body: '{"order":7}',
      headers: { 'idempotency-key': `${run.id}/one` },
    });
    expect(receiver.at(`${path}/two?n=42`)).toHaveLength(1);
    // One trace, also where the submitter has none.
    const traces = [`${path}/one`, `${path}/two?n=42`].map((at) => receiver.at(at)[0]?.headers.traceparent);
    expect(traces[0]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(traces[1]).toBe(traces[0]);
    expect((await api.get('/v1/jobs')).body.items).toEqual([]);
    const lists = ['attempts', 'steps/one/attempts', 'steps/one/items'];
    for (const list of lists) {
      const refused = await api.get(`/v1/runs/${run.id}/${list}?createdAfter=2099-01-01T00:00:00Z`);
      expect(refused).toMatchObject({ status: 422, body: { errors: [{ pointer: '/query/createdAfter' }] } });
    }
    const attempts = await api.get(`/v1/runs/${run.id}/attempts`);
    expect(attempts.body.items).toMatchObject([
      { stepId: 'one', number: 1, outcome: 'answered' },
      { stepId: 'two', httpStatus: 200 },
    ]);
  });

  test('retries a step like a job and ends with one dead letter that names the step', async () => {
    const path = unique('/retry');
    receiver.on(`${path}/flaky`, (_request, response, nth) => void response.writeHead(nth < 2 ? 503 : 200).end());
    receiver.on(`${path}/broken`, answer(500));
    const run = await start({
      defaults: { retry: { maxAttempts: 2, initialInterval: '10ms' } },
      steps: [
        { id: 'flaky', http: http(`${path}/flaky`) },
        { id: 'broken', dependsOn: ['flaky'], http: http(`${path}/broken`) },
        { id: 'after', dependsOn: ['broken'], http: http(`${path}/after`) },
        { id: 'cleanup', dependsOn: ['after'], runWhen: 'allDone', http: http(`${path}/cleanup`) },
        { id: 'alarm', dependsOn: ['broken'], runWhen: 'anyFailed', transform: 'broken was ${ steps.broken.status }' },
      ],
    });
    const done = await ended(run.id);
    expect(done, JSON.stringify(done)).toMatchObject({ status: 'failed', error: { code: 'httpStatus', status: 500 } });
    expect(statuses(done)).toEqual({
      ...{ flaky: 'succeeded', broken: 'failed', after: 'skipped', cleanup: 'succeeded', alarm: 'succeeded' },
    });
    expect(stepOf(done, 'flaky')).toMatchObject({ attempts: 2 });
    expect(stepOf(done, 'after')).toMatchObject({ error: { code: 'dependencyFailed' } });
    expect(stepOf(done, 'alarm')).toMatchObject({ output: 'broken was failed' });
    const letters = await api.get('/v1/dead-letters?kind=run');
    expect(letters.body.items.filter((letter: Json) => letter.runId === run.id)).toMatchObject([
      { kind: 'run', stepId: 'broken', jobId: null, reason: 'attemptsExhausted', attempts: 2, redrivenAs: null },
    ]);
  });

  test('a condition that is false skips its step, and dependants that do not need its output run', async () => {
    const run = await start(
      {
        steps: [
          { id: 'maybe', if: 'input.go', transform: { big: 1 } },
          { id: 'after', dependsOn: ['maybe'], transform: 'x' },
          { id: 'needs', transform: '${ steps.maybe.output.big }' },
          { id: 'bad', transform: '${ input.go + 1 }', onError: 'continue' },
        ],
        output: { needs: '${ steps.needs.output }', after: '${ steps.after.output }' },
      },
      { input: { go: false } },
    );
    const done = await ended(run.id);
    expect(done).toMatchObject({ status: 'succeeded', output: { needs: null, after: 'x' } });
    expect(statuses(done)).toEqual({ maybe: 'skipped', after: 'succeeded', needs: 'skipped', bad: 'failed' });
    expect(stepOf(done, 'bad')).toMatchObject({ error: { code: 'expressionFailed' } });
    expect(stepOf(done, 'needs')).toMatchObject({ error: null });
  });

  test('a target made by an expression is guarded like any other', async () => {
    const definition = { steps: [{ id: 'a', http: http('/x', { headers: { 'x-a': '${ input.h }' } }) }] };
    const done = await ended((await start(definition, { input: { h: 'a\r\nHost: evil' } })).id);
    expect(done).toMatchObject({ status: 'failed', error: { code: 'validationFailed' } });
    const host = await api.post('/v1/workflows/validate', {
      steps: [{ id: 'a', http: { url: 'https://${ input.h }/' } }],
    });
    expect(host.status).toBe(422);
  });
});

describe('the order', () => {
  const order = (path: string) => ({
    input: { schema: { type: 'object', required: ['orderId'] } },
    steps: [
      {
        ...{ id: 'charge', http: http(`${path}/charges`, { method: 'POST', body: { order: '${ input.orderId }' } }) },
        compensate: {
          http: http(`${path}/refunds`, { method: 'POST', body: { charge: '${ steps.charge.output.id }' } }),
        },
      },
      { id: 'approve', dependsOn: ['charge'], waitFor: { signal: 'approval', timeout: '2d', onTimeout: 'fail' } },
      { id: 'ship', if: 'steps.approve.output.approved', http: http(`${path}/ship`, { method: 'POST' }), retry: once },
      {
        ...{ id: 'mail', dependsOn: ['ship'], forEach: '${ input.recipients }', as: 'to', concurrency: 2 },
        ...{ http: http(`${path}/mail/\${ to }`), onError: 'continue', retry: once },
      },
      { id: 'pause', dependsOn: ['mail'], wait: { for: '20ms' } },
      {
        id: 'report',
        dependsOn: ['pause'],
        workflow: { name: 'report', input: { n: '${ input.orderId }' } },
        runWhen: 'allDone',
      },
    ],
    output: { tracking: '${ steps.ship.output.tracking }' },
  });

  test('runs from the charge to the report with an approval, and is compensated and redriven where shipping fails', async () => {
    const path = unique('/order');
    await define(
      { steps: [{ id: 'count', transform: '${ input.n * 2 }' }], output: '${ steps.count.output }' },
      'report',
    );
    receiver.on(`${path}/charges`, answer(201, JSON_ANSWER, '{"id":"ch_1"}'));
    receiver.on(`${path}/ship`, (_request, response, nth) => {
      if (nth === 1) response.writeHead(409).end();
      else response.writeHead(200, JSON_ANSWER).end('{"tracking":"T1"}');
    });
    receiver.on(`${path}/mail/b`, answer(500));
    const name = await define(order(path));
    const refused = await api.post(`/v1/workflows/${name}/runs`, { input: {} });
    expect(refused.status).toBe(422);
    expect(refused.body.errors[0].pointer).toBe('/input');

    const input = { orderId: 21, recipients: ['a', 'b', 'c'] };
    const { body: run } = await api.post(`/v1/workflows/${name}/runs`, { input });
    const waiting = await eventually(async () => [await read(run.id)].find(({ status }) => status === 'waiting'));
    expect(statuses(waiting)).toMatchObject({ approve: 'waiting' });
    expect((await api.post(`/v1/runs/${run.id}/signals/approval`, { approved: true })).status).toBe(202);
    const failed = await ended(run.id);
    expect(statuses(failed)).toMatchObject({
      charge: 'compensated',
      ship: 'failed',
      mail: 'skipped',
      report: 'succeeded',
    });
    expect(receiver.at(`${path}/refunds`)).toMatchObject([
      { body: '{"charge":"ch_1"}', headers: { 'idempotency-key': `${run.id}/charge/compensate` } },
    ]);

    const again = await api.post(`/v1/runs/${run.id}/redrive`, {});
    expect(again.status, again.text).toBe(201);
    expect((await api.post(`/v1/runs/${run.id}/redrive`, {})).body.code).toBe('alreadyRedriven');
    await eventually(async () => (await read(again.body.id)).status === 'waiting');
    await api.post(`/v1/runs/${again.body.id}/signals/approval`, { approved: true });
    const done = await ended(again.body.id);
    expect(done, JSON.stringify(done)).toMatchObject({
      ...{ status: 'succeeded', redriveOf: run.id, output: { tracking: 'T1' } },
    });
    // Undone, so it is charged anew; what only failed keeps its key.
    const chargeKeys = receiver.at(`${path}/charges`).map(({ headers }) => headers['idempotency-key']);
    expect(chargeKeys).toEqual([`${run.id}/charge`, `${again.body.id}/charge`]);
    const shipKeys = receiver.at(`${path}/ship`).map(({ headers }) => headers['idempotency-key']);
    expect(shipKeys).toEqual([`${run.id}/ship`, `${run.id}/ship`]);
    expect(stepOf(done, 'mail')).toMatchObject({
      items: { total: 3, running: 0, succeeded: 2, failed: 1 },
      output: [{ ok: true }, null, { ok: true }],
    });
    expect(stepOf(done, 'report')).toMatchObject({ status: 'succeeded', output: 42 });
    const { body: items } = await api.get(`/v1/runs/${done.id}/steps/mail/items?limit=2`);
    expect(items.items).toMatchObject([
      { index: 0, status: 'succeeded', attempts: 1 },
      { index: 1, status: 'failed', error: { status: 500 } },
    ]);
    expect(items.nextCursor).not.toBeNull();
    const { body: letters } = await api.get('/v1/dead-letters?kind=run&redriven=true');
    expect(letters.items.find((letter: Json) => letter.runId === run.id)).toMatchObject({
      redrivenAs: done.id,
      stepId: 'ship',
    });
  });

  test('redriven from the step that failed it does not charge again where nothing was undone', async () => {
    const path = unique('/order');
    receiver.on(`${path}/charges`, answer(201, JSON_ANSWER, '{"id":"ch_1"}'));
    receiver.on(`${path}/ship`, (_request, response, nth) => void response.writeHead(nth === 1 ? 409 : 200).end());
    const { steps } = order(path);
    const run = await start(
      {
        steps: [steps[0], { ...steps[2], dependsOn: ['charge'], if: 'steps.charge.output.id != ""' }],
        onFailure: 'stop',
      },
      { input: { orderId: 1 } },
    );
    expect(statuses(await ended(run.id))).toEqual({ charge: 'succeeded', ship: 'failed' });
    const { body: letters } = await api.get('/v1/dead-letters?kind=run&redriven=false');
    const letter = letters.items.find((one: Json) => one.runId === run.id);
    const again = await api.post(`/v1/dead-letters/${letter.id}/redrive`, { fromStep: 'ship' });
    expect(again.status, again.text).toBe(201);
    expect(statuses(again.body)).toEqual({ charge: 'succeeded', ship: 'pending' });
    const done = await ended(again.body.id);
    expect(done).toMatchObject({ status: 'succeeded' });
    expect(stepOf(done, 'charge')).toMatchObject({ output: { id: 'ch_1' } });
    expect(receiver.at(`${path}/charges`)).toHaveLength(1);
    expect(receiver.at(`${path}/ship`)).toHaveLength(2);
  });
});

describe('forEach', () => {
  test('calls for each item, no more at once than asked, and gives the list of outputs in order', async () => {
    const path = unique('/each');
    let open = 0;
    let most = 0;
    receiver.on(path, (request, response) => {
      most = Math.max(most, (open += 1));
      setTimeout(() => {
        open -= 1;
        response.writeHead(200, JSON_ANSWER).end(JSON.stringify({ path: request.path.slice(path.length + 1) }));
      }, 10);
    });
    const run = await start(
      {
        steps: [
          { id: 'each', forEach: '${ input.items }', concurrency: 5, http: http(`${path}/\${ item }-\${ index }`) },
          { id: 'sum', transform: '${ steps.each.output.map(one, one.path) }' },
          { id: 'twice', forEach: '${ input.items }', transform: '${ item * 2 }' },
        ],
        output: { each: '${ steps.sum.output }', twice: '${ steps.twice.output }' },
      },
      { input: { items: Array.from({ length: 50 }, (_item, index) => index * 10) } },
    );
    const done = await ended(run.id);
    expect(done, JSON.stringify(done.error)).toMatchObject({ status: 'succeeded' });
    expect(done.output.each).toEqual(Array.from({ length: 50 }, (_item, index) => `${index * 10}-${index}`));
    expect(done.output.twice.slice(0, 3)).toEqual([0, 20, 40]);
    expect(stepOf(done, 'twice')).toMatchObject({ items: { total: 50, succeeded: 50 } });
    const { body: values } = await api.get(`/v1/runs/${run.id}/steps/twice/items?limit=1`);
    expect(values.items).toMatchObject([{ index: 0, status: 'succeeded', output: 0 }]);
    expect(most).toBeLessThanOrEqual(5);
    expect(most).toBeGreaterThan(1);
    expect(receiver.received.filter((one) => one.path.startsWith(path))).toHaveLength(50);
  });

  test('a redrive keeps the items that succeeded', async () => {
    const path = unique('/each');
    let isBroken = true;
    receiver.on(`${path}/b`, (_request, response) => void response.writeHead(isBroken ? 400 : 200).end());
    const run = await start(
      {
        steps: [
          { id: 'each', forEach: ['a', 'b', 'c'], concurrency: 1, http: http(`${path}/\${ item }`), retry: once },
        ],
      },
      {},
    );
    const failed = await ended(run.id);
    expect(stepOf(failed, 'each')).toMatchObject({ status: 'failed', error: { code: 'itemFailed' } });
    isBroken = false;
    const again = await api.post(`/v1/runs/${run.id}/redrive`, {}, { prefer: 'wait=20' });
    expect(again.body, again.text).toMatchObject({ status: 'succeeded' });
    const calls = receiver.received.filter((one) => one.path.startsWith(path));
    expect(calls.map((one) => `${one.path.at(-1)} ${String(one.headers['idempotency-key'])}`)).toEqual([
      `a ${run.id}/each/0`,
      `b ${run.id}/each/1`,
      `b ${run.id}/each/1`,
      `c ${run.id}/each/2`,
    ]);
  });
});
