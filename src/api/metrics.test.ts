// What /metrics says after known work: counted once, labelled from closed sets, and how things stand in the store.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Api, createApi, eventually } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { answer, type Receiver, startReceiver } from '../testing/receiver.ts';
import { serveProbes } from './probe-app.ts';

let instance: Instance;
let receiver: Receiver;
let api: Api;
beforeAll(async () => {
  receiver = await startReceiver();
  instance = await startInstance();
  api = createApi(instance.url);
});
afterAll(async () => {
  await instance.stop();
  await receiver.stop();
});

/** The values of a metric by its labels, as text. */
async function valuesOf(name: string, url = instance.url): Promise<Map<string, number>> {
  const { text } = await createApi(url).get('/metrics');
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return new Map(
    lines.map((line) => {
      const [, labels = '', value] = /^\w+(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      return [labels, Number(value)];
    }),
  );
}

const sum = (values: Map<string, number>) => [...values.values()].reduce((total, value) => total + value, 0);

test('a job that fails once and then succeeds is counted at each of its stations', async () => {
  receiver.on('/once', (_request, response, nth) => void response.writeHead(nth === 1 ? 503 : 200).end());
  const spec = { http: { url: `${receiver.url}/once` }, retry: { initialInterval: '10ms' } };
  const key = { 'idempotency-key': 'metrics' };
  expect((await api.post('/v1/jobs', spec, { ...key, prefer: 'wait=20' })).body.status).toBe('succeeded');
  await api.post('/v1/jobs', spec, key);
  expect((await valuesOf('perdure_jobs_accepted_total')).get('tenant="default",source="submit"')).toBe(1);
  expect(await valuesOf('perdure_jobs_started_total')).toEqual(new Map([['', 1]]));
  expect(sum(await valuesOf('perdure_jobs_finished_total'))).toBe(1);
  expect((await valuesOf('perdure_duplicates_suppressed_total')).get('kind="replayed"')).toBe(1);
  const attempts = await valuesOf('perdure_host_attempts_total');
  expect([...attempts.keys()].sort()).toEqual([
    'host="127.0.0.1",outcome="answered",status_class="2xx",reason="none"',
    'host="127.0.0.1",outcome="answered",status_class="5xx",reason="none"',
  ]);
  expect(sum(await valuesOf('perdure_attempts_total'))).toBe(2);
  expect(await valuesOf('perdure_retries_scheduled_total')).toEqual(new Map([['host="127.0.0.1",cause="5xx"', 1]]));
  expect(await valuesOf('perdure_queue_wait_seconds_count')).toEqual(new Map([['', 1]]));
});

test('a batch counts every item, and its wait for the first attempt', async () => {
  const waits = sum(await valuesOf('perdure_queue_wait_seconds_count'));
  const items = Array.from({ length: 7 }, () => ({ http: { url: `${receiver.url}/item` } }));
  const batch = await api.post('/v1/batches', { items }, { prefer: 'wait=20' });
  expect(batch.body.status).toBe('finished');
  expect((await valuesOf('perdure_jobs_accepted_total')).get('tenant="default",source="batch"')).toBe(7);
  expect(sum(await valuesOf('perdure_queue_wait_seconds_count')) - waits).toBe(7);
});

test('steps are counted by their end when their run ends', async () => {
  receiver.on('/refuses', answer(400));
  const call = (path: string) => ({ url: `${receiver.url}${path}` });
  const definition = {
    steps: [
      { id: 'one', http: call('/step') },
      { id: 'two', dependsOn: ['one'], transform: '${ 1 + 1 }' },
      { id: 'no', if: 'false', http: call('/step') },
      { id: 'bad', dependsOn: ['two'], http: call('/refuses') },
      { id: 'after', dependsOn: ['bad'], http: call('/step') },
    ],
  };
  const run = await api.post('/v1/runs', { definition }, { prefer: 'wait=20' });
  expect(run.body.status).toBe('failed');
  const steps = await valuesOf('perdure_run_steps_finished_total');
  expect(Object.fromEntries(steps)).toMatchObject({
    'status="succeeded"': 2,
    'status="skipped"': 2,
    'status="failed"': 1,
  });
  expect((await valuesOf('perdure_runs_finished_total')).get('tenant="default",status="failed"')).toBe(1);
});

test('the gauges say what is open, how long it has been due, and which dead letters nobody has taken', async () => {
  await api.post('/v1/jobs', { http: { url: `${receiver.url}/later` }, delay: '1h' });
  const open = await eventually(async () => {
    const jobs = await valuesOf('perdure_jobs');
    return jobs.get('status="scheduled",tenant="default"') === 1 && jobs;
  });
  expect(sum(open)).toBe(1);
  expect((await valuesOf('perdure_jobs_oldest_due_seconds')).get('status="scheduled"')).toBe(0);
  expect(sum(await valuesOf('perdure_dead_letters'))).toBe(1);
  expect(await valuesOf('perdure_store_up')).toEqual(new Map([['', 1]]));
});

test('made-up methods and paths do not become series', async () => {
  await api.call('PROPFIND', '/v1/jobs');
  await api.get('/v1/nothing/at/all/here');
  const requests = [...(await valuesOf('perdure_http_request_duration_seconds_count')).keys()];
  expect(requests.some((labels) => labels.startsWith('method="other"'))).toBe(true);
  expect(requests.filter((labels) => labels.includes('nothing') || labels.includes('PROPFIND'))).toEqual([]);
});

test('a worker without an API shows its metrics and probes on a port of its own, and says that it drains', async () => {
  const probes = await serveProbes(instance.services, { host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${probes.port}`;
  const worker = createApi(url);
  expect((await worker.get('/healthz')).status).toBe(200);
  expect((await worker.get('/readyz')).body).toMatchObject({ status: 'ready' });
  expect(sum(await valuesOf('perdure_jobs_started_total', url))).toBeGreaterThan(0);
  expect((await worker.get('/v1/jobs')).status).toBe(404);
  probes.drain();
  expect((await worker.get('/readyz')).body).toMatchObject({ status: 'draining' });
  expect((await worker.get('/healthz')).status).toBe(200);
  await expect(serveProbes(instance.services, { host: '127.0.0.1', port: probes.port })).rejects.toThrow(
    `port ${probes.port} is taken; choose another with PERDURE_WORKER_PORT`,
  );
  await probes.close();
});
