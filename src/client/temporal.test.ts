// `perdure/temporal` as another service uses it: through a plain Temporal client, and in a workflow of its own.
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import { Client, Connection, WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { type Instance, startInstance } from '../testing/instance.ts';
import { answer, type Receiver, startReceiver } from '../testing/receiver.ts';
import { Perdure } from './index.ts';
import { type HttpJob, type JobInput, jobWorkflow } from './temporal.ts';
import type { chargeAsChild } from './testing/parent-workflow.ts';

let instance: Instance;
let receiver: Receiver;
let connection: Connection;
let client: Client;
let perdure: Perdure;

beforeAll(async () => {
  [instance, receiver, connection] = await Promise.all([
    startInstance(),
    startReceiver(),
    Connection.connect({ address: inject('temporalAddress') }),
  ]);
  client = new Client({ connection });
  perdure = new Perdure({ baseUrl: instance.url });
});
afterAll(async () => {
  await connection.close();
  await instance.stop();
  await receiver.stop();
});

test('a plain Temporal client starts a job: it has a row, and its id starts no second one', async () => {
  const workflowId = `charge-${randomUUID()}`;
  const job: JobInput = { name: 'charge', http: { url: `${receiver.url}/charge`, body: { order: 42 } } };
  const start = jobWorkflow(job, { workflowId, taskQueue: instance.config.taskQueue });
  expect(await client.workflow.execute<HttpJob>(...start)).toEqual({ status: 'succeeded' });
  expect(await perdure.jobs.get(workflowId)).toMatchObject({ id: workflowId, name: 'charge', status: 'succeeded' });
  await expect(client.workflow.start<HttpJob>(...start)).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
  expect(receiver.at('/charge').map(({ headers }) => headers['idempotency-key'])).toEqual([workflowId]);
});

test('a job that fails fails the workflow with the reason of its dead letter', async () => {
  receiver.on('/refused', answer(404));
  const options = { workflowId: `refused-${randomUUID()}`, taskQueue: instance.config.taskQueue };
  const failure: unknown = await client.workflow
    .execute<HttpJob>(...jobWorkflow({ http: { url: `${receiver.url}/refused` } }, options))
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(WorkflowFailedError);
  expect((failure as WorkflowFailedError).cause).toMatchObject({ type: 'nonRetryable' });
});

test('a workflow of another service runs a job as its child, on the task queue of Perdure', async () => {
  const taskQueue = `other-service-${randomUUID()}`;
  const native = await NativeConnection.connect({ address: inject('temporalAddress') });
  try {
    const workflowsPath = fileURLToPath(new URL('./testing/parent-workflow.ts', import.meta.url));
    const worker = await Worker.create({ connection: native, taskQueue, workflowsPath });
    const workflowId = `order-${randomUUID()}`;
    const args: Parameters<typeof chargeAsChild> = [`${receiver.url}/child`, instance.config.taskQueue];
    const result = await worker.runUntil(
      client.workflow.execute<typeof chargeAsChild>('chargeAsChild', { workflowId, taskQueue, args }),
    );
    expect(result).toBe('succeeded');
    expect(await perdure.jobs.get(`${workflowId}-charge`)).toMatchObject({
      status: 'succeeded',
      labels: { by: 'shop' },
    });
    expect(receiver.at('/child')).toHaveLength(1);
  } finally {
    await native.close();
  }
});
