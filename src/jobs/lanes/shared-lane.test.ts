// The shared lane end to end: what differs from a lane of one's own is who makes the first attempt, and nothing else.
import { afterAll, beforeAll, expect, it } from 'vitest';

import type { JobSpec } from '../../contract/job.ts';
import { carrierOf } from '../../contract/temporal.ts';
import { findJobOfAnyTenant } from '../../db/jobs.ts';
import { type Api, createApi, eventually, type Json } from '../../testing/api.ts';
import { type Instance, startInstance } from '../../testing/instance.ts';
import { answer, type Receiver, slowly, startReceiver } from '../../testing/receiver.ts';
import { newJob } from '../accept.ts';

let instance: Instance;
let receiver: Receiver;
let api: Api;

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
  api = createApi(instance.url);
  // The first requests of a process are slow: what is meant to come together would not.
  await finals(await submit('/warm-up', 10));
});
afterAll(async () => {
  await instance.stop();
  await receiver.stop();
});

/** At once, so that all but the first find company. */
async function submit(path: string, count: number, more: object = {}): Promise<Json[]> {
  const post = (n: number) =>
    api.post('/v1/jobs', { lane: 'shared', http: { url: `${receiver.url}${path}/${n}` }, ...more });
  const answers = await Promise.all(Array.from({ length: count }, (_job, n) => post(n)));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  return answers.map(({ body }) => body);
}

const finals = (jobs: Json[]) =>
  Promise.all(jobs.map(async ({ links }) => (await api.get(`${links.self}?wait=20s`)).body));

const workflowOf = ({ links }: Json): string => decodeURIComponent(links.temporal.split('/').at(-1));

it('many ride in few workflows, each called once under its own key, with its attempt and its result', async () => {
  const done = await finals(await submit('/many', 40));
  expect(done.map(({ status, lane, attempts }) => [status, lane, attempts])).toEqual(
    done.map(() => ['succeeded', 'shared', 1]),
  );
  const workflows = new Set(done.map(workflowOf));
  expect(workflows.size).toBeLessThan(10);
  for (const id of workflows) {
    const { type } = await instance.services.client.workflow.getHandle(id).describe();
    expect(type).toBe(id.startsWith('job_') ? 'httpJob' : 'runCarrier');
  }
  const calls = receiver.received.filter(({ path }) => path.startsWith('/many/'));
  expect(calls.map(({ headers }) => headers['idempotency-key']).sort()).toEqual(done.map(({ id }) => id).sort());
  const { body } = await api.get(done[5].links.attempts);
  expect(body.items).toMatchObject([{ number: 1, outcome: 'answered', httpStatus: 200 }]);
});

it('one that comes alone has a workflow of its own, at once', async () => {
  // Those of before may still have an open carrier: two seconds later nobody does.
  const job = await eventually(async () => {
    const [next] = await submit('/alone', 1);
    return workflowOf(next) === next.id && next;
  });
  expect((await finals([job]))[0]).toMatchObject({ status: 'succeeded' });
});

it('from its first retry on a job is on its own: retried in time, then succeeded or a dead letter', async () => {
  receiver.on('/flaky', (_request, response, nth) => void response.writeHead(nth === 1 ? 503 : 200).end());
  receiver.on('/broken', answer(400));
  const retry = { maxAttempts: 2, initialInterval: '300ms', jitter: 0 };
  const [flaky, broken] = await Promise.all([submit('/flaky', 6, { retry }), submit('/broken', 6, { retry })]);
  for (const job of await finals(flaky)) {
    expect(job).toMatchObject({ status: 'succeeded', attempts: 2 });
    expect(workflowOf(job)).toBe(job.id);
    const attempts = (await api.get(job.links.attempts)).body.items;
    expect(attempts).toMatchObject([
      { number: 1, outcome: 'answered', httpStatus: 503, error: { code: 'httpStatus' } },
      { number: 2, outcome: 'answered', httpStatus: 200, error: null },
    ]);
    const [first, second] = receiver.at(new URL(job.http.url).pathname);
    expect(second?.at).toBeGreaterThanOrEqual((first?.at ?? 0) + 290);
    expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
  }
  for (const job of await finals(broken)) expect(job).toMatchObject({ status: 'failed', attempts: 1 });
  const { body } = await api.get('/v1/dead-letters?reason=nonRetryable');
  expect(body.items.map(({ jobId }: Json) => jobId).sort()).toEqual(broken.map(({ id }) => id).sort());
});

it('one key, one job: also among those that are accepted together', async () => {
  const post = (n: number) =>
    api.post(
      '/v1/jobs',
      { lane: 'shared', http: { url: `${receiver.url}/keys/${n % 10}` } },
      { 'idempotency-key': `shared-${n % 10}` },
    );
  const answers = await Promise.all(Array.from({ length: 40 }, (_job, n) => post(n)));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(30);
  answers.forEach(({ text }, n) => expect(text).toBe(answers[n % 10]?.text));
  await finals(answers.map(({ body }) => body));
  expect(receiver.received.filter(({ path }) => path.startsWith('/keys/'))).toHaveLength(10);
});

it('what was committed and never started, because its API died in between, is started by the relay', async () => {
  const [model] = await submit('/model', 1);
  const { services } = instance;
  const spec = (await findJobOfAnyTenant(services.db, model.id))?.spec as JobSpec;
  const rows = Array.from({ length: 5 }, () => ({
    ...newJob({ tenant: 'default', spec }),
    carrier: carrierOf('lane_neverstarted', 0),
  }));
  for (const job of rows) await services.writes.insertJob({ job, key: null }, 0);
  const done = await finals(rows.map(({ id }) => ({ links: { self: `/v1/jobs/${id}` } })));
  for (const job of done) expect([job.status, workflowOf(job)]).toEqual(['succeeded', 'lane_neverstarted']);
});

it('what may not ride is accepted all the same, and means its own', async () => {
  const jobs = await Promise.all([
    submit('/own/once', 3, { delivery: 'atMostOnce' }),
    submit('/own/later', 3, { delay: '1s' }),
    submit('/own/long', 3, { http: { url: `${receiver.url}/own/long`, timeout: '5m' } }),
  ]);
  for (const job of await finals(jobs.flat())) expect([job.status, workflowOf(job)]).toEqual(['succeeded', job.id]);
});

it('a cancel cuts off the one call, a deadline the others, and nobody else is touched', async () => {
  receiver.on('/slow', slowly(30_000));
  const hurried = submit('/slow/late', 4, { deadline: '2s' });
  const [slow, quick] = await Promise.all([submit('/slow', 4), submit('/quick', 4)]);
  await eventually(() => receiver.received.filter(({ path }) => path.startsWith('/slow/')).length === 8);
  const attemptsOf = async ({ links }: Json) => (await api.get(links.attempts)).body.items;
  for (const job of slow) {
    expect(await attemptsOf(job)).toMatchObject([{ number: 1, outcome: 'open', finishedAt: null }]);
  }
  for (const { links } of slow) expect((await api.post(`${links.self}/cancel`)).status).toBe(200);
  for (const job of slow) {
    expect(await attemptsOf(job)).toMatchObject([{ number: 1, outcome: 'unknown', error: { code: 'canceled' } }]);
  }
  expect((await finals(slow)).map(({ status }) => status)).toEqual(slow.map(() => 'canceled'));
  expect((await finals(quick)).map(({ status }) => status)).toEqual(quick.map(() => 'succeeded'));
  expect((await finals(await hurried)).map(({ status }) => status)).toEqual([
    'expired',
    'expired',
    'expired',
    'expired',
  ]);
});
