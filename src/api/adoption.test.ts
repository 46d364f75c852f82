// A service that starts the job workflow through its own Temporal client gets a job like any other.
import { randomUUID } from 'node:crypto';

import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

import { type Api, createApi, eventually, type Json } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { answer, type Receiver, startReceiver } from '../testing/receiver.ts';

let instance: Instance;
let receiver: Receiver;
let api: Api;
let connection: Connection;
let client: Client;

beforeAll(async () => {
  [instance, receiver, connection] = await Promise.all([
    startInstance(),
    startReceiver(),
    Connection.connect({ address: inject('temporalAddress') }),
  ]);
  client = new Client({ connection });
  api = createApi(instance.url);
});
afterAll(async () => {
  await connection.close();
  await instance.stop();
  await receiver.stop();
});

const start = (spec: unknown, workflowId = `adopted-${randomUUID()}`) =>
  client.workflow.start('httpJob', { workflowId, taskQueue: instance.config.taskQueue, args: [{ spec }] });
const job = async (id: string): Promise<Json> => (await api.get(`/v1/jobs/${id}`)).body;
const metric = async (name: string) =>
  (await api.get('/metrics')).text.split('\n').find((line) => line.startsWith(name));

it.concurrent('has a row, under the id of the workflow, and its calls carry that id', async () => {
  const handle = await start({ name: 'adopted', http: { url: `${receiver.url}/adopted` }, labels: { by: 'service' } });
  expect(await handle.result()).toEqual({ status: 'succeeded' });
  expect(await job(handle.workflowId)).toMatchObject({
    ...{ id: handle.workflowId, name: 'adopted', status: 'succeeded', attempts: 1, labels: { by: 'service' } },
  });
  const listed = await api.get('/v1/jobs?name=adopted');
  expect(listed.body.items).toHaveLength(1);
  expect(receiver.at('/adopted')[0]?.headers).toMatchObject({
    ...{ 'idempotency-key': handle.workflowId, 'x-perdure-job': handle.workflowId },
  });
});

it.concurrent('has a dead letter that can be redriven, and is counted', async () => {
  receiver.on('/dies', answer(404));
  const handle = await start({ http: { url: `${receiver.url}/dies` } });
  await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
  const letters = await api.get('/v1/dead-letters?reason=nonRetryable');
  const letter = letters.body.items.find(({ jobId }: Json) => jobId === handle.workflowId);
  const patch = { http: { url: `${receiver.url}/lives` } };
  const redriven = await api.post(`/v1/dead-letters/${letter.id}/redrive`, { patch }, { prefer: 'wait=20' });
  expect(redriven.body).toMatchObject({ status: 'succeeded', redriveOf: handle.workflowId });
  expect(receiver.at('/lives')[0]?.headers['idempotency-key']).toBe(handle.workflowId);
  expect(await metric('perdure_dead_letters_written_total{tenant="default",reason="nonRetryable"}')).toMatch(/ [1-9]/);
});

it.concurrent('waits for its time, can be run now, and canceled from either side', async () => {
  const spec = { http: { url: `${receiver.url}/timed` }, delay: '1h' };
  const [hurried, canceled, fromTemporal] = await Promise.all([start(spec), start(spec), start(spec)]);
  for (const { workflowId } of [hurried, canceled, fromTemporal]) {
    await eventually(async () => (await job(workflowId)).status === 'scheduled');
  }
  expect((await api.post(`/v1/jobs/${hurried.workflowId}/run-now`)).status).toBe(200);
  expect((await api.post(`/v1/jobs/${canceled.workflowId}/cancel`)).status).toBe(200);
  await fromTemporal.cancel();
  await hurried.result();
  expect((await job(hurried.workflowId)).status).toBe('succeeded');
  await eventually(async () => (await job(fromTemporal.workflowId)).status === 'canceled');
  expect((await job(canceled.workflowId)).status).toBe('canceled');
});

it.concurrent('waits for the jobs it depends on without a call', async () => {
  const { body: parent } = await api.post('/v1/jobs', { http: { url: `${receiver.url}/parent` }, delay: '1h' });
  const handle = await start({ http: { url: `${receiver.url}/child` }, dependsOn: [parent.id] });
  await eventually(async () => (await job(handle.workflowId)).status === 'blocked');
  await api.post(`/v1/jobs/${parent.id}/cancel`);
  await eventually(async () => (await job(handle.workflowId)).status === 'canceled');
  expect(receiver.at('/child')).toEqual([]);
  expect((await api.get(`/v1/jobs/${handle.workflowId}/attempts`)).body.items).toEqual([]);
});

it.concurrent.each([
  ['a bad URL', { http: { url: 'ftp://example.com' } }, undefined],
  ['unknown fields', { http: { url: 'http://example.com' }, nope: 1 }, undefined],
  ['no spec', null, undefined],
  ['unknown parents', { http: { url: 'http://example.com' }, dependsOn: ['job_nobody'] }, undefined],
  ['an id that no path can hold', { http: { url: 'http://example.com' } }, `a/b ${randomUUID()}`],
])('with %s fails clearly and leaves no row', async (_name, spec, id) => {
  const handle = await start(spec, id);
  const error = await handle.result().catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  const cause = (error as WorkflowFailedError).cause?.cause as { type?: string; message?: string };
  expect(cause.type).toBe('validationFailed');
  expect(cause.message).toMatch(/not a job spec|unknown dependencies|cannot be the id/);
  const rows = await instance.services.db.query('select 1 from jobs where id = $1', [handle.workflowId]);
  expect(rows).toEqual([]);
});
