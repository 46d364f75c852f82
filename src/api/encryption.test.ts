// PERDURE_ENCRYPTION=on: everything runs as ever, and Temporal holds nothing of it that can be read.
import { Client, Connection, type WorkflowExecutionInfo } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';

import { parseConfig } from '../config.ts';
import { findSchedule } from '../db/schedules.ts';
import { createTemporalSchedules } from '../jobs/schedules/temporal-schedule.ts';
import { ENCODING } from '../jobs/secrets/payload-codec.ts';
import { type Api, createApi, eventually, type Json } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { textsOf } from '../testing/texts.ts';

const ORIGIN = 'http://127.0.0.1:8233';
const MASTER_KEY = Buffer.alloc(32, 4).toString('base64');
const NAME = 'marked-name';

let instance: Instance;
let receiver: Receiver;
let api: Api;
let plain: { client: Client; close(): Promise<void> };

beforeAll(async () => {
  const environment = { PERDURE_MASTER_KEY: MASTER_KEY, PERDURE_ENCRYPTION: 'on', PERDURE_CODEC_ORIGIN: ORIGIN };
  [instance, receiver] = await Promise.all([startInstance(environment), startReceiver()]);
  api = createApi(instance.url);
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  plain = { client: new Client({ connection }), close: () => connection.close() };
});
afterAll(async () => {
  await plain.close();
  await instance.stop();
  await receiver.stop();
});

const finished = async (path: string, body?: Json): Promise<Json> => {
  const made = await api.post(path, body, { prefer: 'wait=30' });
  expect(made.status, made.text).toBe(201);
  expect(made.body.finishedAt, made.text).not.toBeNull();
  return made.body;
};

const workflows = async (): Promise<WorkflowExecutionInfo[]> => {
  const found: WorkflowExecutionInfo[] = [];
  const query = `TaskQueue = '${instance.services.taskQueue}'`;
  for await (const info of plain.client.workflow.list({ query })) found.push(info);
  return found;
};

const historyOf = ({ workflowId, runId }: { workflowId: string; runId?: string }) =>
  plain.client.workflow.getHandle(workflowId, runId).fetchHistory();

const base64 = (bytes: string | Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('base64');

function wireOf(payload: { metadata?: Record<string, Uint8Array> | null; data?: Uint8Array | null } | undefined) {
  const metadata = Object.entries(payload?.metadata ?? {}).map(([name, value]) => [name, base64(value)] as const);
  return { metadata: Object.fromEntries(metadata), data: base64(payload?.data) };
}

/** Where payloads stand that are not ours, but for search attributes and the SDK's own notes about local activities. */
function plainPayloads(value: unknown, path: string[] = []): string[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const { encoding } = (value as { metadata?: { encoding?: Uint8Array } | null }).metadata ?? {};
  if (!encoding) return Object.entries(value).flatMap(([name, held]) => plainPayloads(held, [...path, name]));
  const place = path.join('.');
  const isAllowed = Buffer.from(encoding).toString() === ENCODING || /searchAttributes\.|details\.data\./.test(place);
  return isAllowed ? [] : [place];
}

it('jobs, batches, schedules and runs work', async () => {
  const retry = { maxAttempts: 2, initialInterval: '20ms' };
  const job = (path: string) => ({ name: NAME, http: { url: `${receiver.url}/secret-path${path}` }, retry });
  receiver.on('/secret-path/flaky', (_request, response, nth) => void response.writeHead(nth === 1 ? 503 : 200).end());
  receiver.on('/secret-path/broken', (_request, response) => void response.writeHead(500).end());
  expect(await finished('/v1/jobs', job('/ok'))).toMatchObject({ status: 'succeeded' });
  expect(await finished('/v1/jobs', { ...job('/once'), delivery: 'atMostOnce' })).toMatchObject({
    status: 'succeeded',
  });
  expect(await finished('/v1/jobs', job('/flaky'))).toMatchObject({ status: 'succeeded', attempts: 2 });
  expect(await finished('/v1/jobs', job('/broken'))).toMatchObject({ status: 'failed', attempts: 2 });
  const items = Array.from({ length: 20 }, (_, at) => job(`/item/${at}`));
  expect(await finished('/v1/batches', { name: NAME, items })).toMatchObject({ counts: { succeeded: 20 } });
});

it('a time that Temporal fires is adopted by the workflow it starts', async () => {
  const http = { url: `${receiver.url}/secret-path/tick` };
  const put = await api.put('/v1/schedules/encrypted', { every: '1s', note: 'marked-note', job: { name: NAME, http } });
  expect(put.status, put.text).toBe(201);
  const jobs = await eventually(async () => {
    const { body } = await api.get('/v1/jobs?scheduleId=encrypted&status=succeeded');
    return body.items.length >= 2 && body.items;
  });
  await api.post('/v1/schedules/encrypted/pause');
  const started = (await workflows()).find(({ workflowId }) => workflowId === jobs[0].id);
  expect(started).toMatchObject({ type: 'httpJob', status: { name: 'COMPLETED' } });
  const described = () =>
    plain.client.workflowService.describeSchedule({ namespace: 'default', scheduleId: 'encrypted' });
  expect(textsOf(await described())).not.toMatch(/secret-path|marked/);

  // One that was put before encryption was turned on is noticed, and put again.
  const { db, taskQueue, temporalSchedules } = instance.services;
  const before = createTemporalSchedules({ db, client: plain.client, taskQueue, isEncrypted: false });
  const row = await findSchedule(db, { tenant: 'default', id: 'encrypted' });
  if (!row) throw new Error('the schedule is gone');
  await before.apply(row);
  expect(plainPayloads(await described())).not.toEqual([]);
  const drift = await temporalSchedules.findDrift(row);
  expect(drift).toEqual({ kind: 'unreadable' });
  if (drift) await temporalSchedules.repair(row, drift);
  expect(plainPayloads(await described())).toEqual([]);
});

it('a run with every kind of step works', async () => {
  const http = { url: `${receiver.url}/secret-path/step`, body: { value: '${ input.value }' } };
  expect((await api.put('/v1/workflows/child', { steps: [{ id: 'only', http }] })).status).toBe(201);
  const started = await api.post('/v1/runs', {
    definition: {
      steps: [
        { id: 'first', http },
        { id: 'each', dependsOn: ['first'], forEach: '${ input.list }', concurrency: 50, http },
        {
          id: 'fails',
          http: { url: `${receiver.url}/secret-path/broken` },
          retry: { maxAttempts: 1 },
          onError: 'continue',
        },
        { id: 'rest', dependsOn: ['each'], wait: { for: '10ms' } },
        { id: 'signal', dependsOn: ['rest'], waitFor: { signal: 'go' } },
        { id: 'below', dependsOn: ['signal'], workflow: { name: 'child', input: { value: 'marked-value' } } },
        { id: 'sum', dependsOn: ['below'], transform: '${ steps.signal.output.word }' },
      ],
      output: '${ steps.sum.output }',
    },
    input: { value: 'marked-value', list: Array.from({ length: 110 }, (_, at) => at) },
  });
  expect(started.status, started.text).toBe(201);
  await api.post(`/v1/runs/${started.body.id}/signals/go`, { word: 'marked-word' });
  const { body } = await api.get(`/v1/runs/${started.body.id}?wait=40s`);
  expect(body, JSON.stringify(body.error)).toMatchObject({ status: 'succeeded', output: 'marked-word' });
});

it('no history holds a name, a URL or a value in plain, nor any payload that is not ours', async () => {
  const all = await workflows();
  expect(new Set(all.map(({ type }) => type))).toEqual(new Set(['httpJob', 'runBatch', 'workflowRun', 'itemChunk']));
  for (const info of all) {
    const { events } = await historyOf(info);
    const text = textsOf(events);
    expect(text, info.workflowId).not.toMatch(/marked|secret-path|127\.0\.0\.1:|The target answered/);
    expect(plainPayloads(events), info.workflowId).toEqual([]);
    expect(info.searchAttributes).not.toHaveProperty('PerdureName');
    expect(info.searchAttributes).not.toHaveProperty('PerdureHost');
  }
  const failed = all.find(({ type, status }) => type === 'httpJob' && status.name === 'FAILED');
  expect(failed && textsOf((await historyOf(failed)).events)).toContain('Encoded failure');
});

it('what is not encrypted is refused, and changes nothing', async () => {
  const workflowId = 'job_plain';
  const handle = await plain.client.workflow.start('httpJob', {
    ...{ workflowId, taskQueue: instance.services.taskQueue },
    args: [{ spec: { http: { url: `${receiver.url}/plain` } } }],
  });
  await eventually(async () => {
    const { events } = await handle.fetchHistory();
    return events?.some(({ workflowTaskFailedEventAttributes: failed }) => failed) ?? false;
  });
  await handle.terminate();
  expect(receiver.at('/plain')).toEqual([]);
  expect((await api.get(`/v1/jobs/${workflowId}`)).status).toBe(404);
});

it('the codec endpoint decodes for its one origin, and is audited', async () => {
  const { id } = await finished('/v1/jobs', { http: { url: `${receiver.url}/decoded` } });
  const { events } = await historyOf({ workflowId: id });
  const [input] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  const wire = wireOf(input);
  expect(Buffer.from(wire.metadata['encoding'] ?? '', 'base64').toString()).toBe(ENCODING);
  const untouched = { metadata: { encoding: base64('json/plain') }, data: base64('1') };
  const elsewhere = { ...wire, data: base64('changed') };
  const decoded = await api.post('/v1/codec/decode', { payloads: [wire, untouched, elsewhere] }, { origin: ORIGIN });
  expect(decoded.status, decoded.text).toBe(200);
  expect(decoded.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  const [first, ...others] = decoded.body.payloads;
  expect(JSON.parse(Buffer.from(first.data, 'base64').toString())).toMatchObject({ plan: { timeoutMs: 10_000 } });
  expect(others).toEqual([untouched, elsewhere]);
  const audit = await api.get('/v1/audit?action=payloads.decode');
  expect(audit.body.items).toHaveLength(1);

  const asked = await api.call('OPTIONS', '/v1/codec/decode', undefined, { origin: ORIGIN });
  expect([asked.status, asked.headers.get('access-control-allow-headers')]).toEqual([
    204,
    'authorization, content-type, x-namespace',
  ]);
  const foreign = await api.post('/v1/codec/decode', { payloads: [] }, { origin: 'http://evil.example' });
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
  expect((await api.post('/v1/codec/encode', { payloads: [] })).status).toBe(404);
});

it('another tenant is not shown what is decoded', async () => {
  const { id } = await finished('/v1/jobs', { http: { url: `${receiver.url}/theirs` } });
  await instance.services.db.query("update jobs set tenant = 'elsewhere' where id = $1", [id]);
  const { events } = await historyOf({ workflowId: id });
  const [input] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  const sent = wireOf(input);
  expect((await api.post('/v1/codec/decode', { payloads: [sent] })).body.payloads).toEqual([sent]);
});

it('does not start without a master key', () => {
  const environment = { DATABASE_URL: 'postgres://localhost/x', PERDURE_ENCRYPTION: 'on' };
  expect(() => parseConfig(environment)).toThrow(/PERDURE_ENCRYPTION.*PERDURE_MASTER_KEY/);
  expect(() => parseConfig({ ...environment, PERDURE_MASTER_KEY: 'short' })).toThrow(/PERDURE_MASTER_KEY: must be 32/);
  expect(() => parseConfig({ PERDURE_CODEC_ORIGIN: 'https://a.example/path' })).toThrow('PERDURE_CODEC_ORIGIN');
});
