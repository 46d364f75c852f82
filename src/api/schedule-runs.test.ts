// Schedules that run workflows: each nominal time is one run at most, and all that holds for jobs holds for runs.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Api, createApi, eventually, type Json } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';
import { createRunTools, unique } from '../testing/runs.ts';

let instance: Instance;
let api: Api;
let target: Receiver;
const { define, ended } = createRunTools(() => api);

beforeAll(async () => {
  target = await startReceiver();
  instance = await startInstance({ PERDURE_SCHEDULE_GRACE: '3s', PERDURE_AUDIT_INTERVAL: '1s' });
  api = createApi(instance.url);
});

afterAll(async () => {
  await instance?.stop();
  await target?.stop();
});

const yearly = '0 0 1 1 *';
const path = (id: string, action = '') => `/v1/schedules/${id}${action}`;
const oneCall = (id: string, more: object = {}) => ({
  steps: [{ id: 'call', http: { url: `${target.url}/${id}` }, retry: { maxAttempts: 1 } }],
  ...more,
});
const signaled = { steps: [{ id: 'wait', waitFor: { signal: 'go', timeout: '1h' } }] };

async function put(id: string, schedule: object): Promise<void> {
  const answer = await api.put(path(id), schedule);
  expect(answer.status, answer.text).toBeLessThan(300);
}

async function ticksOf(id: string): Promise<Json[]> {
  const { body } = await api.get(path(id, '/ticks?limit=200'));
  return body.items.reverse();
}

async function openRunsOf(id: string): Promise<string[]> {
  const { body } = await api.get(`/v1/runs?scheduleId=${id}`);
  return body.items.filter((run: Json) => run.finishedAt === null).map((run: Json) => run.id);
}

function areConsecutive(ticks: Json[]): boolean {
  const seconds = ticks.map(({ nominalTime }) => Date.parse(nominalTime) / 1_000);
  return seconds.every((second, index) => second === (seconds[0] ?? 0) + index);
}

/** Once every time has its row, up to one that the pause held back. */
function firedBeforePause(id: string): Promise<Json[]> {
  return eventually(async () => {
    const ticks = await ticksOf(id);
    const isLast = ticks.at(-1)?.outcome === 'paused';
    return isLast && areConsecutive(ticks) && ticks.filter(({ outcome }) => outcome !== 'paused');
  });
}

/** The last `count` nominal times of a schedule of every hour. */
function lastHours(count: number): { from: string; to: string; overlap?: string } {
  const hourMs = 3_600_000;
  const endMs = Math.floor(Date.now() / hourMs) * hourMs;
  return { from: new Date(endMs - count * hourMs).toISOString(), to: new Date(endMs).toISOString() };
}

describe.concurrent('a schedule of a workflow', () => {
  it('starts one run per nominal time, under the id of its tick, with its input', async () => {
    const id = unique('every');
    const name = await define(oneCall(id, { output: '${ input.who }' }));
    await put(id, { cron: '* * * * * *', overlap: 'allowAll', workflow: { name, input: { who: 'me' } } });
    await eventually(async () => (await ticksOf(id)).length >= 3);
    await api.post(path(id, '/pause'));
    const fired = await firedBeforePause(id);
    for (const tick of fired) {
      expect(tick).toMatchObject({ jobId: null, runId: `${id}-${tick.nominalTime}` });
      expect(['ran', 'caughtUp']).toContain(tick.outcome);
      expect(await ended(tick.runId)).toMatchObject({ status: 'succeeded', scheduleId: id, output: 'me', version: 1 });
    }
    const { body } = await api.get(path(id));
    expect(body.counts).toMatchObject({ ran: fired.length, missed: 0, failed: 0 });
    expect(body.lastFire).toMatchObject({ jobId: null, runId: expect.stringContaining(id) });
    expect(target.at(`/${id}`).length).toBe(fired.length);
  });

  it('a trigger is answered with the run, and with the same one under the same key', async () => {
    const id = unique('trigger');
    const name = await define(oneCall(id));
    await put(id, { cron: yearly, workflow: { name } });
    const key = { 'idempotency-key': id };
    const made = await api.call('POST', path(id, '/trigger'), undefined, key);
    expect(made.status, made.text).toBe(201);
    expect(made.body).toMatchObject({ workflow: name, scheduleId: id });
    expect(made.headers.get('location')).toBe(`/v1/runs/${made.body.id}`);
    const again = await api.call('POST', path(id, '/trigger'), undefined, key);
    expect([again.status, again.text]).toEqual([200, made.text]);
    expect(again.headers.get('location')).toBe(`/v1/runs/${made.body.id}`);
    expect((await ended(made.body.id)).status).toBe('succeeded');
    expect(await ticksOf(id)).toMatchObject([{ outcome: 'triggered', jobId: null, runId: made.body.id }]);
  });

  it('what its workflow does not know or take is refused, also when it was known once', async () => {
    const id = unique('refused');
    const schema = { type: 'object', properties: { n: { type: 'integer' } } };
    const name = await define(oneCall(id, { input: { schema } }));
    const refused = async (workflow: object) => (await api.put(path(id), { cron: yearly, workflow })).body.errors;
    expect(await refused({ name, version: 7 })).toMatchObject([{ pointer: '/workflow/version' }]);
    expect(await refused({ name, input: { n: 'x' } })).toMatchObject([{ pointer: '/workflow/input/n' }]);
    await put(id, { every: '1h', workflow: { name, input: { n: 1 } } });
    await api.call('DELETE', `/v1/workflows/${name}`);
    const trigger = await api.post(path(id, '/trigger'));
    expect([trigger.status, trigger.body.errors[0].pointer]).toEqual([422, '/workflow/name']);
    await api.post(path(id, '/backfill'), lastHours(1));
    const [tick] = await eventually(async () => (await ticksOf(id)).length > 0 && ticksOf(id));
    expect(tick).toMatchObject({ outcome: 'missed', runId: null, reason: expect.stringContaining(name) });
  });

  it('a backfill runs each time once, one after the other', async () => {
    const id = unique('backfill');
    let underWay = 0;
    let most = 0;
    target.on(`/${id}`, (_request, response) => {
      most = Math.max(most, (underWay += 1));
      setTimeout(() => {
        underWay -= 1;
        response.end();
      }, 100);
    });
    await put(id, { every: '1h', workflow: { name: await define(oneCall(id)) } });
    expect((await api.post(path(id, '/backfill'), lastHours(4))).body).toEqual({ accepted: 4 });
    await eventually(async () => (await ticksOf(id)).length === 4);
    const ticks = await ticksOf(id);
    for (const tick of ticks) {
      expect(tick).toMatchObject({ outcome: 'backfilled', runId: `${id}-${tick.nominalTime}` });
      await ended(tick.runId);
    }
    expect([most, target.at(`/${id}`).length]).toEqual([1, 4]);
    expect((await api.post(path(id, '/backfill'), lastHours(4))).body).toEqual({ accepted: 0 });
  });

  it('too many failed runs in a row pause it', async () => {
    const id = unique('fails');
    target.on(`/${id}`, (_request, response) => void response.writeHead(400).end());
    const name = await define(oneCall(id));
    await put(id, { cron: yearly, pauseAfterFailures: 2, workflow: { name } });
    for (const _ of [1, 2]) await ended((await api.post(path(id, '/trigger'))).body.id);
    const paused = await eventually(async () => {
      const { body } = await api.get(path(id));
      return body.paused && body;
    });
    expect(paused.note).toBe('Paused after 2 failed runs in a row.');
    expect(paused.counts).toMatchObject({ ran: 2, failed: 2, consecutiveFailures: 2 });
  });

  it('takes the place of a job, and gives it back, and no time between is lost', async () => {
    const id = unique('replaced');
    const name = await define(oneCall(id));
    const job = { http: { url: `${target.url}/${id}` } };
    const times = { every: '1s', overlap: 'allowAll' };
    const has = (kind: 'jobId' | 'runId') => async () => (await ticksOf(id)).some((tick) => tick[kind] !== null);
    await put(id, { ...times, job });
    await eventually(has('jobId'));
    await put(id, { ...times, workflow: { name } });
    await eventually(has('runId'));
    await put(id, { ...times, job });
    await eventually(async () => (await ticksOf(id)).at(-1)?.jobId);
    await api.post(path(id, '/pause'));
    const fired = await firedBeforePause(id);
    for (const { jobId, runId, nominalTime } of fired) {
      expect(jobId ?? runId).toBe(`${id}-${nominalTime}`);
      const { body } = await api.get(jobId ? `/v1/jobs/${jobId}?wait=10s` : `/v1/runs/${runId}?wait=10s`);
      expect(body.status, JSON.stringify(body.error)).toBe('succeeded');
    }
    expect(target.at(`/${id}`).length).toBe(fired.length);
  });
});

describe.concurrent('overlap of runs', () => {
  const everySecond = async (overlap: string) => {
    const id = unique(overlap);
    await put(id, { every: '1s', overlap, workflow: { name: await define(signaled) } });
    return id;
  };
  const skipsOf = async (id: string) => (await ticksOf(id)).filter(({ outcome }) => outcome === 'skippedOverlap');

  it('skip leaves a row for each time at which a run was under way', async () => {
    const id = await everySecond('skip');
    const skips = await eventually(async () => (await skipsOf(id)).length >= 2 && skipsOf(id));
    const [only, ...others] = await openRunsOf(id);
    expect(others).toEqual([]);
    expect(skips[0]).toMatchObject({ runId: null, reason: `${only} had not ended.` });
    await api.post(path(id, '/pause'));
  });

  it('cancelOther ends the run before', async () => {
    const id = await everySecond('cancelOther');
    const runs = await eventually(async () => {
      const ran = (await ticksOf(id)).filter(({ runId }) => runId !== null);
      return ran.length >= 3 && ran;
    });
    await api.post(path(id, '/pause'));
    expect((await ended(runs[0].runId)).status).toBe('canceled');
    expect(await openRunsOf(id)).toHaveLength(1);
  });

  it('bufferOne lets one time wait for its turn, also beyond a pause, and skips the others', async () => {
    const id = await everySecond('bufferOne');
    const skips = await eventually(async () => (await skipsOf(id)).length >= 1 && skipsOf(id));
    expect(skips[0].reason).toMatch(/ already waits for its turn\.$/);
    await api.post(path(id, '/pause'));
    const [first, ...others] = await openRunsOf(id);
    expect(others).toEqual([]);
    await api.post(`/v1/runs/${first}/signals/go`, {});
    const [second] = await eventually(async () => {
      const open = await openRunsOf(id);
      return open.length === 1 && open[0] !== first && open;
    });
    expect(second).toBe(skips[0].reason.split(' ')[0]);
    const waited = (await ticksOf(id)).find(({ runId }) => runId === second);
    expect(waited).toMatchObject({ outcome: 'ran', reason: 'It waited for its turn.' });
    await api.post(`/v1/runs/${second}/signals/go`, {});
    expect((await ended(second ?? '')).status).toBe('succeeded');
    expect(await openRunsOf(id)).toEqual([]);
  });
});
