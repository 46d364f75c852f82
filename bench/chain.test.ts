// A chain of ten steps against the same ten activities in a hand-written workflow, in the same process and run.
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { createHttpSender } from '../src/jobs/http/send.ts';
import { createApi } from '../src/testing/api.ts';
import { type Instance, startInstance } from '../src/testing/instance.ts';
import { type Receiver, startReceiver } from '../src/testing/receiver.ts';
import { cpuOfStackMs } from './cpu.ts';

const RUNS = 20;
const WARM_UP = 5;
const MAX_RATIO = 1.2;

let instance: Instance;
let receiver: Receiver;

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
});
afterAll(async () => {
  await instance?.stop();
  await receiver?.stop();
});

test('a chain of ten steps', { timeout: 120_000 }, async () => {
  const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
  const taskQueue = `bench-${process.pid}`;
  const sender = createHttpSender({ getPolicy: instance.services.getPolicy });
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: new URL('./hand-written.ts', import.meta.url).pathname,
    activities: {
      async call(url: string): Promise<unknown> {
        const request = { method: 'GET', url, headers: {}, followRedirects: false };
        const outcome = await sender.send(request, { timeoutMs: 10_000 });
        if (outcome.kind !== 'answered') throw new Error(outcome.detail);
        return JSON.parse(outcome.body.toString());
      },
    },
  });
  const api = createApi(instance.url);
  const steps = Array.from({ length: 10 }, (_step, at) => ({
    id: `s${at}`,
    dependsOn: at === 0 ? [] : [`s${at - 1}`],
    http: { url: `${receiver.url}/s${at}` },
  }));
  await api.put('/v1/workflows/chain', { steps });

  const byHand = async (at: number) => {
    await instance.services.client.workflow.execute('handWritten', {
      workflowId: `hand-${at}`,
      taskQueue,
      args: [receiver.url],
    });
  };
  const ours = async () => {
    const { body } = await api.post('/v1/workflows/chain/runs', {}, { prefer: 'wait=20' });
    expect(body.status).toBe('succeeded');
  };
  await worker.runUntil(async () => {
    for (let at = 0; at < WARM_UP; at++) {
      await byHand(-1 - at);
      await ours();
    }
    const hand = await measure(byHand);
    const run = await measure(ours);
    console.log({ hand, run, time: run.ms / hand.ms, cpu: run.cpuMs / hand.cpuMs });
    expect(run.ms / hand.ms).toBeLessThan(MAX_RATIO);
    expect(run.cpuMs / hand.cpuMs).toBeLessThan(MAX_RATIO);
  });
  await sender.close();
  await connection.close();
});

/** The median time, and the CPU per run of the worker with its PostgreSQL and Temporal, and of the worker alone. */
async function measure(
  work: (at: number) => Promise<void>,
): Promise<{ ms: number; cpuMs: number; workerCpuMs: number }> {
  const times: number[] = [];
  const cpu = process.cpuUsage();
  const stackMs = cpuOfStackMs();
  for (let at = 0; at < RUNS; at++) {
    const startedAt = performance.now();
    await work(at);
    times.push(performance.now() - startedAt);
  }
  const { user, system } = process.cpuUsage(cpu);
  times.sort((a, b) => a - b);
  return {
    ms: Math.round(times[RUNS / 2] ?? 0),
    cpuMs: Math.round((cpuOfStackMs() - stackMs) / RUNS),
    workerCpuMs: Math.round((user + system) / 1_000 / RUNS),
  };
}
