// The event stream against a whole instance: in order, nothing left out, resumable, per filter, and over when asked.
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { runCommand } from '../cli/testing/run-command.ts';
import { Perdure, type PerdureEvent } from '../client/index.ts';
import { type Api, createApi, eventually } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';

let perdure: Instance;
let api: Api;
let receiver: Receiver;
let client: Perdure;
/** Open from the beginning, and to nothing: what it hears is that the service lives. */
let idle: Awaited<ReturnType<typeof listen>>;
const hook = () => ({ url: `${receiver.url}/ok` });

beforeAll(async () => {
  [perdure, receiver] = await Promise.all([startInstance(), startReceiver()]);
  api = createApi(perdure.url);
  client = new Perdure({ baseUrl: perdure.url });
  idle = await listen({ name: 'nobody' });
});
afterAll(async () => {
  await perdure.stop();
  await receiver.stop();
});

/** A stream in the background; `opened` when the service has answered. */
async function listen(filter: Parameters<Perdure['events']>[0] = {}, lastEventId?: string) {
  const stop = new AbortController();
  const seen: PerdureEvent[] = [];
  const query = new URLSearchParams(
    Object.entries(filter).flatMap(([name, values]) =>
      [values].flat().map((value): [string, string] => [name, typeof value === 'string' ? value : '']),
    ),
  );
  const response = await fetch(`${perdure.url}/v1/events?${query.toString()}`, {
    signal: stop.signal,
    headers: lastEventId ? { 'last-event-id': lastEventId } : {},
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const lines: string[] = [];
  const reading = (async () => {
    let rest = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
      for (const line of parts) {
        if (line.startsWith('data: ')) seen.push(JSON.parse(line.slice(6)) as PerdureEvent);
      }
    }
  })().catch(() => {});
  return {
    seen,
    lines,
    ended: reading,
    types: (id: string) => seen.filter(({ data }) => data.id === id).map(({ type }) => type),
    async stop() {
      stop.abort();
      await reading;
    },
  };
}

const submit = async (spec: object = {}) => (await api.post('/v1/jobs', { http: hook(), ...spec })).body.id as string;

test('every status of a job is told once and in order, with name and labels', async () => {
  const stream = await listen();
  const id = await submit({ name: 'told', labels: { team: 'a' } });
  await eventually(() => stream.types(id).includes('job.succeeded'));
  expect(stream.types(id)).toEqual(['job.queued', 'job.running', 'job.succeeded']);
  const event = stream.seen.find(({ type, data }) => data.id === id && type === 'job.succeeded');
  expect(event).toMatchObject({
    id: expect.stringMatching(/^\d+-\d+$/) as string,
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    data: { id, status: 'succeeded', name: 'told', labels: { team: 'a' }, errorCode: null },
  });
  expect(stream.lines).toContain(`id: ${event?.id}`);
  expect(stream.lines).toContain('event: job.succeeded');
  await stream.stop();
});

test('a stream goes on after the last event it saw, also through the SDK', async () => {
  const first = await listen();
  const id = await submit({ name: 'resumed' });
  await eventually(() => first.types(id).length === 3);
  await first.stop();
  const queued = first.seen.find(({ data }) => data.id === id)?.id;
  const types: string[] = [];
  for await (const event of client.events({ jobId: id }, { lastEventId: queued })) {
    if (types.push(event.type) === 2) break;
  }
  expect(types).toEqual(['job.running', 'job.succeeded']);
  const argv = ['events', '--job', id, '--since', queued ?? '', '--count', '2', '--url', perdure.url];
  const ran = await runCommand([...argv, '--json']);
  expect(ran.exitCode).toBe(0);
  expect(
    ran.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as PerdureEvent).type),
  ).toEqual(types);
  const top = await runCommand(['top', '--once', '--url', perdure.url]);
  expect([top.exitCode, top.stdout]).toEqual([0, expect.stringContaining('resumed')]);
});

test('filters: one repeated is or, several are and', async () => {
  const ids: string[] = [];
  const stream = await listen({ name: ['x', 'y'], type: ['job.queued', 'job.failed'], label: 'kind:good:one' });
  for (const [name, kind] of [
    ['x', 'good:one'],
    ['y', 'good:one'],
    ['z', 'good:one'],
    ['x', 'bad'],
  ]) {
    ids.push(await submit({ name, labels: { kind } }));
  }
  const all = await listen({ jobId: ids[3] as string, type: 'job.*' });
  await eventually(() => stream.seen.length >= 2);
  await eventually(async () => (await api.get(`/v1/jobs/${ids[3]}`)).body.status === 'succeeded');
  await eventually(() => all.seen.some(({ type }) => type === 'job.succeeded'));
  expect(stream.seen.map(({ type, data }) => [type, data.id])).toEqual([
    ['job.queued', ids[0]],
    ['job.queued', ids[1]],
  ]);
  expect(new Set(all.seen.map(({ data }) => data.id))).toEqual(new Set([ids[3]]));
  await Promise.all([stream.stop(), all.stop()]);
});

test('a transaction that commits late is waited for, and nothing overtakes it', async () => {
  const stream = await listen({ name: ['late', 'early'] });
  const held = new pg.Client({ connectionString: perdure.databaseUrl });
  await held.connect();
  try {
    await held.query('begin');
    await held.query(
      `insert into batches (id, tenant, name, status, concurrency, total, notify, labels, created_at)
       values ('bat_late', 'default', 'late', 'running', 1, 0, '[]', '{}', now())`,
    );
    const id = await submit({ name: 'early' });
    await eventually(async () => (await api.get(`/v1/jobs/${id}`)).body.status === 'succeeded');
    // Several rounds of reading pass it by.
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(stream.seen).toEqual([]);
    await held.query('commit');
    await eventually(() => stream.types(id).includes('job.succeeded'));
    expect(stream.seen.map(({ type }) => type)).toEqual([
      'batch.running',
      'job.queued',
      'job.running',
      'job.succeeded',
    ]);
  } finally {
    await held.end();
    await stream.stop();
  }
});

test('batches, runs, schedules and failures are told too', async () => {
  receiver.on('/no', (_request, response) => response.writeHead(400).end());
  const stream = await listen();
  const failing = await submit({ http: { url: `${receiver.url}/no` } });
  const batch = (await api.post('/v1/batches', { name: 'b', items: [{ http: hook() }, { http: hook() }] })).body.id;
  const run = (await api.post('/v1/runs', { definition: { steps: [{ id: 'a', http: hook() }] } })).body.id;
  const spec = { every: '1h', job: { http: hook() } };
  await api.put('/v1/schedules/told', spec);
  await api.post('/v1/schedules/told/pause', {});
  await api.put('/v1/schedules/told', { ...spec, every: '2h', paused: true });
  await api.post('/v1/schedules/told/resume', {});
  const { id: fired } = (await api.post('/v1/schedules/told/trigger', {})).body;
  await api.delete('/v1/schedules/told');
  await eventually(() => stream.types(batch).includes('batch.finished'));
  await eventually(() => stream.types(run).includes('run.succeeded'));
  await eventually(() => stream.types(failing).includes('job.failed'));
  expect(stream.seen.find(({ type }) => type === 'job.failed')?.data.errorCode).toBe('httpStatus');
  expect(stream.types(batch)).toEqual(['batch.running', 'batch.finished']);
  expect(stream.types(run)).toEqual(['run.queued', 'run.running', 'run.succeeded']);
  await eventually(() => stream.types('told').includes('schedule.deleted'));
  const expected = ['created', 'paused', 'updated', 'resumed', 'triggered', 'deleted'];
  expect(stream.types('told')).toEqual(expected.map((status) => `schedule.${status}`));
  expect(stream.seen.find(({ type }) => type === 'schedule.triggered')?.data.jobId).toBe(fired);
  // The call of the run is no job of the API.
  const jobs = stream.seen.filter(({ type }) => type === 'job.queued').map(({ data }) => data.id);
  expect(jobs).toHaveLength(4);
  await stream.stop();
});

test('each tenant hears of its own, and all hear of the workers that come, pause and vanish', async () => {
  const stream = await listen({ type: ['batch.*', 'worker.*'] });
  await perdure.services.db.query(
    `insert into batches (id, tenant, name, status, concurrency, total, notify, labels, created_at)
     select 'bat_of_' || tenant, tenant, 'x', 'running', 1, 0, '[]', '{}', now() from unnest('{other,default}'::text[]) tenant`,
  );
  await perdure.services.db.query(
    `insert into workers (id, process, identity, host, pid, version, roles, queues, phase, activities_used, activities_max,
       workflows_used, workflows_max, done, failed, started_at, last_heartbeat)
     values ('lost', 'p', 'lost', 'h', 1, '1', '{worker}', '{q}', 'serving', 0, 1, 0, 1, 0, 0, now(), now() - interval '1 minute')`,
  );
  const { id } = (await api.get('/v1/workers')).body.items[0];
  await api.post(`/v1/workers/${id}/pause`);
  await eventually(() => stream.types(id).includes('worker.paused'));
  await api.post(`/v1/workers/${id}/resume`);
  await eventually(() => stream.types(id).includes('worker.available'));
  await eventually(() => stream.types('lost').includes('worker.gone'));
  expect(stream.types('lost')).toEqual(['worker.available', 'worker.gone']);
  expect(stream.types('bat_of_default')).toEqual(['batch.running']);
  expect(stream.types('bat_of_other')).toEqual([]);
  await stream.stop();
});

test('a stream that has nothing to say says that it lives, and how far it has come', async () => {
  await eventually(() => idle.lines.includes(': alive'));
  expect(idle.lines[idle.lines.indexOf(': alive') + 1]).toMatch(/^id: \d+-\d+$/);
  expect(idle.seen).toEqual([]);
  await idle.stop();
});

test('what is no filter, no value of one or no event id is 422; what was removed is 410', async () => {
  for (const query of ['?what=1', '?type=job.exploded', '?label=x', '?lastEventId=yesterday']) {
    const { status, body } = await api.get(`/v1/events${query}`);
    expect([query, status, body.code]).toEqual([query, 422, 'validationFailed']);
  }
  expect((await api.get('/v1/events', { 'last-event-id': 'x' })).status).toBe(422);
  expect((await api.get('/v1/events?lastEventId=999999999-1')).body.code).toBe('eventsGone');
  await perdure.services.db.query('update events_removed set until = 1');
  expect((await api.get('/v1/events?lastEventId=0-1')).status).toBe(410);
});

test('streams end when the service does', async () => {
  const stream = await listen();
  perdure.services.releaseWaiters();
  await stream.ended;
  expect((await api.get('/v1/events')).status).toBe(503);
});
