// What workflows have decided, they must decide again: histories of earlier code replay on the code of today.
//
// A scenario without a file in histories/ is recorded by this test; commit what it writes. A recorded file is never
// written again: where it no longer replays, running workflows would break, and the change needs `patched`.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { type Api, createApi, eventually } from '../testing/api.ts';
import { JOB_SCENARIOS, SCENARIOS } from '../testing/histories.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { answer, type Receiver, startReceiver } from '../testing/receiver.ts';
import { createRunTools, stepOf } from '../testing/runs.ts';

const folder = join(inject('repoRoot'), 'histories');
const workflowBundle = { codePath: join(inject('repoRoot'), 'dist', 'workflow-bundle.js') };
const recorded = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.json')) : [];

let instance: Instance;
let receiver: Receiver;
let api: Api;
const { define, start, ended, read } = createRunTools(() => api);

beforeAll(async () => {
  // Without a cache every workflow task replays its whole history.
  [instance, receiver] = await Promise.all([
    startInstance({ PERDURE_WORKFLOW_CACHE: '0', TEMPORAL_UI_URL: 'http://ui.test' }),
    startReceiver(),
  ]);
  api = createApi(instance.url);
  receiver.on('/gone', answer(410));
  receiver.on('/away', answer(503));
  for (const path of ['/flaky', '/flaky-job']) {
    receiver.on(path, (_request, response, nth) => void response.writeHead(nth % 2 ? 503 : 200).end());
  }
  await define({ steps: [{ id: 'only', transform: '${ input }' }], output: '${ steps.only.output }' }, 'replay-child');
});
afterAll(async () => {
  await instance?.stop();
  await receiver?.stop();
});

describe('histories of earlier code', () => {
  test.each(recorded)('%s replays', async (file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const history = temporal.api.history.v1.History.fromObject(JSON.parse(text) as Record<string, unknown>);
    await Worker.runReplayHistory({ workflowBundle }, history);
  });
});

describe('runs that are replayed at every task', () => {
  test.each(SCENARIOS)(
    '$name ends $status',
    async ({ name, definition, fields, signal, cancelWhenWaiting, status }) => {
      const run = await start(definition(receiver.url), fields);
      if (signal || cancelWhenWaiting) {
        await eventually(async () => (await read(run.id)).status === 'waiting');
        if (signal) await api.post(`/v1/runs/${run.id}/signals/${signal.name}`, signal.payload);
        else await api.post(`/v1/runs/${run.id}/cancel`);
      }
      const done = await ended(run.id);
      expect(done.status, JSON.stringify(done)).toBe(status);
      await keep(run.id, name);
      const childRunId = stepOf(done, 'child')?.childRunId;
      if (childRunId) await keep(childRunId, `${name}-child`);
      if (name === 'in-chunks') await keep(`${run.id}/each/0-119`, `${name}-chunk`);
    },
  );
});

describe('jobs that are replayed at every task', () => {
  test.each(JOB_SCENARIOS)('$name ends $status', async ({ name, fields, act, status }) => {
    const { body: job } = await api.post('/v1/jobs', fields(receiver.url));
    if (act) {
      await eventually(() => hasBegun(job.id));
      await api.post(`/v1/jobs/${job.id}/${act}`);
    }
    const { body: done } = await api.get(`/v1/jobs/${job.id}?wait=20s`);
    expect(done.status, JSON.stringify(done)).toBe(status);
    await keep(job.id, name);
  });

  test('one that a schedule fires', async () => {
    const at = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 2_000).toISOString();
    await api.put('/v1/schedules/replay', { at, job: { http: { url: `${receiver.url}/ok` } } });
    const id = `replay-${at.replace('.000Z', 'Z')}`;
    await eventually(async () => (await api.get(`/v1/jobs/${id}`)).body.status === 'succeeded');
    await keep(id, 'job-of-a-schedule');
  });

  test('those of a batch, and the redrive of the dead letters it leaves', async () => {
    const items = [1, 2, 3].map((n) => ({ http: { url: `${receiver.url}/gone?${n}` } }));
    const { body: batch } = await api.post('/v1/batches', { items, concurrency: 2 });
    await eventually(async () => (await api.get(`/v1/batches/${batch.id}`)).body.status === 'finished');
    await keep(batch.id, 'batch');
    const { body: bulk } = await api.post('/v1/dead-letters/redrive', {
      filter: { reason: 'nonRetryable', kind: 'job' },
    });
    await eventually(async () => (await api.get(`/v1/bulk-operations/${bulk.id}`)).body.status === 'finished');
    await keep(bulk.id, 'bulk-redrive');
  });
});

test('a carrier that is replayed at every task takes all of them along', async () => {
  const post = (n: number) => api.post('/v1/jobs', { lane: 'shared', http: { url: `${receiver.url}/ok?${n}` } });
  const answers = await Promise.all(Array.from({ length: 20 }, (_job, n) => post(n)));
  const jobs = await Promise.all(answers.map(async ({ body }) => (await api.get(`${body.links.self}?wait=20s`)).body));
  expect(jobs.map(({ status }) => status)).toEqual(jobs.map(() => 'succeeded'));
  const carrier = jobs.map(({ links }) => links.temporal.split('/').at(-1)).find((id) => id.startsWith('lane_'));
  await keep(carrier, 'carrier');
});

function hasBegun(workflowId: string): Promise<boolean> {
  const handle = instance.services.client.workflow.getHandle(workflowId);
  return handle.fetchHistory().then(
    ({ events }) => events?.some((event) => event.workflowTaskCompletedEventAttributes) ?? false,
    () => false,
  );
}

async function keep(workflowId: string, name: string): Promise<void> {
  const handle = instance.services.client.workflow.getHandle(workflowId);
  await eventually(async () => (await handle.describe()).status.name !== 'RUNNING');
  const history = await handle.fetchHistory();
  await Worker.runReplayHistory({ workflowBundle }, history, workflowId);
  // A task that failed was tried again until it went well by chance.
  expect(history.events?.flatMap((event) => event.workflowTaskFailedEventAttributes ?? [])).toEqual([]);
  const file = join(folder, `${name}.json`);
  if (existsSync(file)) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(history, withoutPlace)}\n`);
}

/** Replays do not look at who did it, nor where. */
function withoutPlace(key: string, value: unknown): unknown {
  if (key === 'stackTrace') return '';
  return key === 'identity' ? 'worker' : value;
}
