// What others do to a job in Temporal, and what the absence of a store does: each job still reaches its right end.
import { randomUUID } from 'node:crypto';

import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

import { type Api, createApi, eventually, type Json } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { answer, type Receiver, startReceiver } from '../testing/receiver.ts';
import { startTcpProxy, type TcpProxy } from '../testing/tcp-proxy.ts';

const namespace = 'default';
const WITHIN_MS = { timeoutMs: 90_000 };

let receiver: Receiver;
let connection: Connection;
let client: Client;
let temporal: TcpProxy;
let instance: Instance;
let api: Api;

beforeAll(async () => {
  const [host = '', port] = inject('temporalAddress').split(':');
  temporal = await startTcpProxy(host, Number(port));
  [receiver, connection, instance] = await Promise.all([
    startReceiver(),
    Connection.connect({ address: inject('temporalAddress') }),
    startInstance({ TEMPORAL_ADDRESS: temporal.address }),
  ]);
  client = new Client({ connection });
  api = createApi(instance.url);
  receiver.on('/hangs', () => undefined);
  receiver.on('/503', answer(503));
});
afterAll(async () => {
  temporal.up();
  await instance.stop();
  await connection.close();
  await receiver.stop();
  await temporal.stop();
});

async function submit(path: string, more: Json = {}): Promise<string> {
  const { http, ...rest } = more;
  const { status, body } = await api.post('/v1/jobs', { http: { url: `${receiver.url}${path}`, ...http }, ...rest });
  expect(status).toBe(201);
  return body.id;
}
const get = async (id: string): Promise<Json> => (await api.get(`/v1/jobs/${id}`)).body;
const reach = (id: string, status: string) =>
  eventually(async () => (await get(id)).status === status, { ...WITHIN_MS, what: `${id} ${status}` });
const lettersOf = async (id: string): Promise<Json[]> =>
  (await api.get('/v1/dead-letters?limit=200')).body.items.filter(({ jobId }: Json) => jobId === id);
const handleOf = (id: string) => client.workflow.getHandle(id);
const started = (id: string) =>
  eventually(() =>
    handleOf(id)
      .describe()
      .then(
        () => true,
        () => false,
      ),
  );
const remove = async (workflowId: string) => {
  await client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId } });
  await eventually(() =>
    handleOf(workflowId)
      .describe()
      .then(
        () => false,
        () => true,
      ),
  );
};
/** The relay looks at each job every minute at the latest; tests need not wait for it. */
async function lookNow(id: string): Promise<void> {
  const [due] = await instance.services.db.query<{ soon: boolean }>(
    `select check_at <= now() + interval '61 seconds' as soon from jobs where id = $1`,
    [id],
  );
  expect(due?.soon).toBe(true);
  await instance.services.db.query('update jobs set check_at = now() where id = $1', [id]);
}

describe.concurrent('a workflow that is', () => {
  const waiting = { delay: '10h' };
  const retrying = { retry: { initialInterval: '5h', maxInterval: '5h' } };

  it('terminated leaves a failed job and one dead letter, unless its job has ended', async () => {
    const [scheduled, again, done] = await Promise.all([submit('/a', waiting), submit('/503', retrying), submit('/a')]);
    await Promise.all([reach(again, 'retrying'), reach(done, 'succeeded'), started(scheduled)]);
    await Promise.all([handleOf(scheduled).terminate('by hand'), handleOf(again).terminate('by hand')]);
    for (const id of [scheduled, again]) {
      await reach(id, 'failed');
      expect((await get(id)).error.code).toBe('terminatedExternally');
      expect(await lettersOf(id)).toMatchObject([{ reason: 'terminatedExternally' }]);
    }
    expect(await lettersOf(done)).toEqual([]);
  });

  it('terminated in the middle of a call leaves an unknown outcome with atMostOnce, and the call is cut', async () => {
    const id = await submit('/hangs?amo', { delivery: 'atMostOnce', http: { timeout: '5m' } });
    await eventually(() => receiver.at('/hangs?amo').length === 1);
    await handleOf(id).terminate('by hand');
    await reach(id, 'unknown');
    expect(await lettersOf(id)).toHaveLength(1);
    expect(receiver.at('/hangs?amo')).toHaveLength(1);
  });

  it('canceled leaves a canceled job', async () => {
    const id = await submit('/a', waiting);
    await started(id);
    await handleOf(id).cancel();
    await reach(id, 'canceled');
    expect(await lettersOf(id)).toEqual([]);
  });

  it('deleted leaves a failed job if it had begun, and changes nothing for one that has ended', async () => {
    const [scheduled, again, done] = await Promise.all([submit('/a', waiting), submit('/503', retrying), submit('/d')]);
    await Promise.all([reach(again, 'retrying'), reach(done, 'succeeded'), started(scheduled)]);
    const seen = async () => {
      const sql = 'select seen_in_temporal as seen from jobs where id = $1';
      return (await instance.services.db.query<{ seen: boolean }>(sql, [scheduled]))[0]?.seen;
    };
    await eventually(seen);
    await Promise.all([scheduled, again].map(remove));
    // What is closed already, the server itself deletes only later.
    await client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId: done } });
    for (const id of [scheduled, again]) {
      await lookNow(id);
      await reach(id, 'failed');
      expect(await lettersOf(id)).toMatchObject([{ reason: 'terminatedExternally' }]);
    }
    expect((await get(done)).status).toBe('succeeded');
    expect(receiver.at('/d')).toHaveLength(1);
  });

  it('reset repeats no call of a job that has ended, and goes on with one that waits', async () => {
    const [done, scheduled] = await Promise.all([submit('/reset-done'), submit('/reset-waiting', waiting)]);
    await Promise.all([reach(done, 'succeeded'), started(scheduled)]);
    for (const workflowId of [done, scheduled]) {
      const { eventId } = await eventually(async () =>
        (await handleOf(workflowId).fetchHistory()).events?.find((event) => event.workflowTaskCompletedEventAttributes),
      );
      await client.workflowService.resetWorkflowExecution({
        ...{ namespace, reason: 'by hand', requestId: randomUUID(), workflowTaskFinishEventId: eventId ?? null },
        workflowExecution: { workflowId },
      });
    }
    expect(await handleOf(done).result()).toEqual({ status: 'succeeded' });
    expect(receiver.at('/reset-done')).toHaveLength(1);
    expect((await api.post(`/v1/jobs/${scheduled}/run-now`)).status).toBe(200);
    await reach(scheduled, 'succeeded');
    expect(receiver.at('/reset-waiting')).toHaveLength(1);
  });
});

describe('a store that is away', () => {
  it('Temporal: jobs are accepted, and run when it is back', async () => {
    temporal.down();
    const downAt = Date.now();
    const ids = await Promise.all(Array.from({ length: 20 }, (_, n) => submit(`/kept/${n}`)));
    const waited = await api.post('/v1/jobs', { http: { url: `${receiver.url}/kept/waited` } }, { prefer: 'wait=1' });
    expect([waited.status, waited.body.status]).toEqual([201, 'queued']);
    expect((await api.get('/readyz')).body).toMatchObject({ status: 'ready', postgres: 'up', temporal: 'down' });
    const canceled = await api.post(`/v1/jobs/${ids[0]}/cancel`);
    expect([canceled.status, canceled.body.status]).toEqual([200, 'canceled']);
    expect(Date.now() - downAt).toBeLessThan(6_000);
    temporal.up();
    const backAt = Date.now();
    await Promise.all(ids.slice(1).map((id) => reach(id, 'succeeded')));
    expect(Date.now() - backAt).toBeLessThan(15_000);
    for (const [n] of ids.entries()) expect(receiver.at(`/kept/${n}`)).toHaveLength(n === 0 ? 0 : 1);
  });

  it('PostgreSQL: 503 with Retry-After within 3 s, and all is well without a restart', async () => {
    const url = new URL(inject('databaseUrl'));
    const store = await startTcpProxy(url.hostname, Number(url.port));
    const other = await startInstance({}, { databaseAddress: store.address });
    try {
      const otherApi = createApi(other.url);
      const spec = { http: { url: `${receiver.url}/after-outage` } };
      const key = { 'idempotency-key': 'outage' };
      expect((await otherApi.post('/v1/jobs', { ...spec, delay: '1h' })).status).toBe(201);
      for (const outage of [store.down, store.blackHole]) {
        outage();
        const startedAt = Date.now();
        const answers = await Promise.all([
          otherApi.post('/v1/jobs', spec, key),
          otherApi.post('/v1/jobs', { ...spec, dependsOn: ['job_1'] }),
          otherApi.get('/v1/jobs'),
          otherApi.get('/v1/jobs/job_1?wait=5s'),
          otherApi.post('/v1/jobs/job_1/cancel'),
          otherApi.get('/readyz'),
        ]);
        expect(Date.now() - startedAt).toBeLessThan(outage === store.down ? 3_000 : 10_000);
        expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503, 503]);
        for (const { headers } of answers) expect(headers.get('retry-after')).toMatch(/^\d+$/);
        expect(answers[0]?.body.code).toBe('storeUnavailable');
        expect((await otherApi.get('/healthz')).status).toBe(200);
        store.up();
        await eventually(async () => (await otherApi.get('/readyz')).status === 200);
      }
      const kept = await otherApi.post('/v1/jobs', spec, key);
      expect([200, 201]).toContain(kept.status);
      expect((await otherApi.get(`/v1/jobs/${kept.body.id}?wait=20s`)).body.status).toBe('succeeded');
      expect(receiver.at('/after-outage')).toHaveLength(1);
    } finally {
      await other.stop();
      await store.stop();
    }
  });
});
