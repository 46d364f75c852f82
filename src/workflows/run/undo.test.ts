// Steps that are undone after a failure, runs below that others have started, and the clock that all times come from.
import { join } from 'node:path';

import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { recordSteps } from '../../db/run-steps.ts';
import { insertRun } from '../../db/runs.ts';
import { newRun } from '../../jobs/runs/accept.ts';
import { parseDefinition } from '../../jobs/runs/definition.ts';
import { type Api, createApi, eventually, type Json } from '../../testing/api.ts';
import { type Instance, startInstance } from '../../testing/instance.ts';
import { answer, type Receiver, startReceiver } from '../../testing/receiver.ts';
import { createRunTools, statuses, stepOf, unique } from '../../testing/runs.ts';

const workflowBundle = { codePath: join(inject('repoRoot'), 'dist', 'workflow-bundle.js') };
const HEARD = 'select nudged_at is null as heard from runs where id = $1';

let instance: Instance;
let receiver: Receiver;
let api: Api;
const { define, start, ended, read } = createRunTools(() => api);

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
  api = createApi(instance.url);
  receiver.on('/gone', answer(410));
});
afterAll(async () => {
  await instance?.stop();
  await receiver?.stop();
});

const http = (path: string) => ({ url: `${receiver.url}${path}` });

describe('undoing', () => {
  test('rests while the run is paused and goes on after it, in reverse order', async () => {
    const path = unique('/undo');
    let finish = () => {};
    receiver.on(`${path}/c`, (_request, response) => {
      finish = () => void response.end();
    });
    const step = (id: string, dependsOn: string[]) => ({
      ...{ id, dependsOn, transform: id, compensate: { http: http(`${path}/${id}`) } },
    });
    const run = await start({
      steps: [
        ...[step('a', []), step('b', ['a']), step('c', ['b'])],
        { id: 'boom', dependsOn: ['c'], http: http('/gone') },
      ],
    });
    await eventually(() => receiver.at(`${path}/c`).length === 1);
    expect((await api.post(`/v1/runs/${run.id}/pause`)).body.status).toBe('paused');
    finish();
    await eventually(async () => (await instance.services.db.query<Json>(HEARD, [run.id]))[0].heard);
    await eventually(async () => stepOf(await read(run.id), 'c').status === 'compensated');
    expect(receiver.at(`${path}/b`)).toHaveLength(0);
    await api.post(`/v1/runs/${run.id}/resume`);
    const done = await ended(run.id);
    expect(statuses(done)).toEqual({ a: 'compensated', b: 'compensated', c: 'compensated', boom: 'failed' });
    const order = receiver.received.filter((one) => one.path.startsWith(path)).map((one) => one.path.at(-1));
    expect(order).toEqual(['c', 'b', 'a']);
    const handle = instance.services.client.workflow.getHandle(run.id);
    await Worker.runReplayHistory({ workflowBundle }, await handle.fetchHistory(), run.id);
  });

  test('begins only after the pause in which the run failed', async () => {
    const path = unique('/paused');
    let fail = () => {};
    receiver.on(`${path}/boom`, (_request, response) => {
      fail = () => void response.writeHead(410).end();
    });
    const run = await start({
      steps: [
        { id: 'a', transform: 1, compensate: { http: http(`${path}/a`) } },
        { id: 'boom', dependsOn: ['a'], http: { ...http(`${path}/boom`), timeout: '30s' } },
      ],
    });
    await eventually(() => receiver.at(`${path}/boom`).length === 1);
    await api.post(`/v1/runs/${run.id}/pause`);
    fail();
    await eventually(async () => stepOf(await read(run.id), 'boom').status === 'failed');
    expect(await read(run.id)).toMatchObject({ status: 'paused' });
    expect(receiver.at(`${path}/a`)).toHaveLength(0);
    await api.post(`/v1/runs/${run.id}/resume`);
    expect(statuses(await ended(run.id))).toEqual({ a: 'compensated', boom: 'failed' });
  });
});

describe('a run below that was started by someone else', () => {
  test('is waited for, not taken for ended', async () => {
    const { db, runStarter } = instance.services;
    const definition = {
      steps: [{ id: 'hold', waitFor: { signal: 'go' } }],
      output: '${ steps.hold.output }',
    };
    const name = await define(definition);
    const parent = await start({
      steps: [
        { id: 'first', waitFor: { signal: 'start' } },
        { id: 'below', dependsOn: ['first'], workflow: { name } },
      ],
    });
    const parsed = parseDefinition(definition, { allow: 'any' } as never, '');
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
    const row = {
      ...newRun({ tenant: 'default', workflow: name, version: 1, ...parsed, keepDefinition: false, input: null }),
      ...{ parentRunId: parent.id, parentStepId: 'below', depth: 1 },
    };
    expect(await insertRun(db, row)).toBe(true);
    expect(await runStarter.start(row)).toBe(true);
    await eventually(async () => (await read(row.id)).status === 'waiting');
    await api.post(`/v1/runs/${parent.id}/signals/start`, {});
    const child = instance.services.client.workflow.getHandle(parent.id);
    await eventually(async () => {
      const { events } = await child.fetchHistory();
      return events?.some((event) => event.startChildWorkflowExecutionFailedEventAttributes);
    });
    await api.post(`/v1/runs/${row.id}/signals/go`, { n: 1 });
    const done = await ended(parent.id);
    expect(done, JSON.stringify(done)).toMatchObject({ status: 'succeeded' });
    expect(stepOf(done, 'below')).toMatchObject({ childRunId: row.id, output: { n: 1 } });
  });
});

describe('times', () => {
  test('come from one clock: no step ends before it started, however wrong the clock of its worker is', async () => {
    const { db } = instance.services;
    const run = await start({
      steps: ['slow', 'fast', 'cut'].map((id) => ({ id, waitFor: { signal: 'never' } })),
    });
    await eventually(async () => (await read(run.id)).status === 'waiting');
    const at = (year: number, ms = 0) => new Date(Date.UTC(year) + ms).toISOString();
    await recordSteps(
      db,
      run.id,
      [{ id: 'slow', status: 'succeeded', startedAt: at(2101), finishedAt: at(1999) }],
      null,
    );
    await db.query("delete from run_steps where run_id = $1 and step_id = 'fast'", [run.id]);
    const fast = { id: 'fast', status: 'succeeded', startedAt: at(2101), finishedAt: at(2101, 250) } as const;
    await recordSteps(db, run.id, [fast], null);
    await api.post(`/v1/runs/${run.id}/cancel`);
    const done = await ended(run.id);
    for (const { id, startedAt, finishedAt } of done.steps) {
      expect(Date.parse(finishedAt) - Date.parse(startedAt), id).toBeGreaterThanOrEqual(id === 'fast' ? 250 : 0);
      expect(Math.abs(Date.parse(finishedAt) - Date.now()), id).toBeLessThan(60_000);
    }
  });
});
