// Proves that every nominal time runs once or has a row that says why not, with a real Temporal behind it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Api, createApi, eventually, type Json } from '../../testing/api.ts';
import { type Instance, startInstance } from '../../testing/instance.ts';
import { type Receiver, startReceiver } from '../../testing/receiver.ts';

let instance: Instance;
let api: Api;
let target: Receiver;

beforeAll(async () => {
  target = await startReceiver();
  instance = await startInstance({ PERDURE_SCHEDULE_GRACE: '3s', PERDURE_AUDIT_INTERVAL: '1s' });
  api = createApi(instance.url);
});

afterAll(async () => {
  await instance?.stop();
  await target?.stop();
});

const RAN = ['ran', 'caughtUp'];
const unique = () => `s${Math.random().toString(36).slice(2, 10)}`;
const job = (path: string, more: object = {}) => ({ http: { url: `${target.url}/${path}` }, ...more });
const path = (id: string, action = '') => `/v1/schedules/${id}${action}`;

async function put(id: string, schedule: object): Promise<Json> {
  const answer = await api.put(path(id), schedule);
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.body;
}

function isInTemporal(id: string): Promise<boolean> {
  return temporalOf(id)
    .describe()
    .then(Boolean, () => false);
}

function nominalAfter(nominalTime: string): string {
  return new Date(Date.parse(nominalTime) + 1_000).toISOString().replace('.000Z', 'Z');
}

async function ticksOf(id: string): Promise<Json[]> {
  const { body } = await api.get(path(id, '/ticks?limit=200'));
  return body.items.reverse();
}

function temporalOf(id: string) {
  return instance.services.client.schedule.getHandle(id);
}

/** Pauses, and waits until every time between the first tick and the last has its row. */
async function settled(id: string, count: number): Promise<Json[]> {
  await eventually(async () => (await ticksOf(id)).length >= count);
  await api.post(path(id, '/pause'));
  const gapless = await eventually(async () => {
    const ticks = await ticksOf(id);
    const isNext = ({ nominalTime }: Json, index: number) =>
      index === 0 || nominalTime === nominalAfter(ticks[index - 1].nominalTime);
    // The first time after the pause has its row: all before it have theirs.
    const isPast = ticks.some(({ outcome }) => outcome === 'paused');
    return isPast && ticks.every(isNext) && ticks;
  });
  return gapless.filter(({ outcome }) => outcome !== 'paused');
}

describe.concurrent('a schedule of every second', () => {
  it('runs each nominal time once, and its ledger proves it', async () => {
    const id = unique();
    const created = await put(id, { cron: '* * * * * *', overlap: 'allowAll', job: job(id) });
    expect(created).toMatchObject({ id, catchupWindow: '10m', paused: false, lastFire: null });
    expect(created.nextFireTimes).toHaveLength(5);
    const ticks = await settled(id, 8);
    for (const tick of ticks) {
      expect(RAN, JSON.stringify(tick)).toContain(tick.outcome);
      expect(tick.jobId).toBe(`${id}-${tick.nominalTime}`);
      expect(tick.runId).toBeNull();
    }
    await eventually(() => target.at(`/${id}`).length === ticks.length);
    const keys = target.at(`/${id}`).map(({ headers }) => headers['idempotency-key']);
    expect(new Set(keys)).toEqual(new Set(ticks.map(({ jobId }) => jobId)));
    const { body: run } = await api.get(`/v1/jobs/${ticks[0].jobId}`);
    expect(run).toMatchObject({ status: 'succeeded', scheduleId: id });
    const { body: after } = await api.get(path(id));
    expect(after.counts).toMatchObject({ ran: ticks.length, skipped: 0, missed: 0, failed: 0 });
    // The one that started last, which is not the one of the last time where one was late.
    const [last] = ticks.toSorted((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
    expect(after.lastFire).toMatchObject({ jobId: last.jobId, outcome: last.outcome, startedAt: last.startedAt });
  });
});

describe.concurrent('overlap', () => {
  it('skip leaves a row for each time at which a run was under way', async () => {
    const id = unique();
    target.on(`/${id}`, (_request, response) => void setTimeout(() => response.end(), 2_500));
    await put(id, { every: '1s', job: job(id) });
    const ticks = await settled(id, 4);
    const skipped = ticks.filter(({ outcome }) => outcome === 'skippedOverlap');
    expect(skipped.length).toBeGreaterThan(0);
    for (const tick of skipped) {
      expect(tick).toMatchObject({ jobId: null, startedAt: null, reason: expect.any(String) });
    }
    // A time that was due when the schedule was paused may get its row a moment later.
    await eventually(
      async () => {
        const rows = await ticksOf(id);
        const { body } = await api.get(path(id));
        const count = (outcomes: string[]) => rows.filter(({ outcome }) => outcomes.includes(outcome)).length;
        const { ran, skipped: counted } = body.counts;
        return target.at(`/${id}`).length === count(RAN) && ran === count(RAN) && counted === count(['skippedOverlap']);
      },
      { what: 'ledger, counts and calls agree' },
    );
  });

  it('bufferOne lets one run wait for its turn, and runs it when the one before has ended', async () => {
    const id = unique();
    let underWay = 0;
    let most = 0;
    target.on(`/${id}`, (_request, response) => {
      most = Math.max(most, ++underWay);
      setTimeout(() => response.end(() => underWay--), 2_200);
    });
    await put(id, { every: '1s', overlap: 'bufferOne', job: job(id) });
    const ticks = await settled(id, 4);
    const ran = ticks.filter(({ outcome }) => RAN.includes(outcome));
    expect(ran.length).toBeGreaterThanOrEqual(2);
    expect(ticks.some(({ outcome }) => outcome === 'skippedOverlap')).toBe(true);
    await eventually(() => target.at(`/${id}`).length === ran.length);
    expect(most).toBe(1);
  });

  it('cancelOther ends the run before', async () => {
    const id = unique();
    target.on(`/${id}`, () => {});
    await put(id, { every: '1s', overlap: 'cancelOther', job: job(id, { retry: { maxAttempts: 1 } }) });
    const ticks = await settled(id, 2);
    expect(ticks.every(({ outcome }) => RAN.includes(outcome))).toBe(true);
    const ended = await Promise.all(ticks.map(({ jobId }) => api.get(`/v1/jobs/${jobId}?wait=20s`)));
    // One is the last to begin, and times out; on a busy machine that need not be the one of the latest time.
    const statuses = ended.map(({ body }) => body.status as string).sort();
    expect(statuses).toEqual([...ticks.slice(1).map(() => 'canceled'), 'failed']);
    await api.delete(path(id));
  });
});

describe.concurrent('pause', () => {
  it('turns each nominal time into a paused row, calls nothing, and ends with a resume', async () => {
    const id = unique();
    await put(id, { every: '1s', overlap: 'allowAll', paused: true, note: 'moving house', job: job(id) });
    await eventually(async () => (await ticksOf(id)).length >= 2);
    const resumed = await api.post(path(id, '/resume'));
    expect(resumed.body).toMatchObject({ paused: false, note: '' });
    const paused = await ticksOf(id);
    for (const tick of paused) expect(tick).toMatchObject({ outcome: 'paused', jobId: null, reason: 'moving house' });
    expect(target.at(`/${id}`)).toHaveLength(0);
    const next = nominalAfter(paused.at(-1).nominalTime);
    await eventually(async () =>
      (await ticksOf(id)).find(({ nominalTime, outcome }) => nominalTime === next && RAN.includes(outcome)),
    );
    const again = await api.post(path(id, '/pause'), { note: 'enough' });
    expect(again.body).toMatchObject({ paused: true, note: 'enough' });
  });

  it('comes by itself after so many failed runs in a row', async () => {
    const id = unique();
    target.on(`/${id}`, (_request, response) => void response.writeHead(400).end());
    await put(id, { every: '1s', pauseAfterFailures: 2, job: job(id) });
    const schedule = await eventually(async () => {
      const { body } = await api.get(path(id));
      return body.paused ? body : null;
    });
    expect(schedule.note).toContain('2 failed runs');
    expect(schedule.counts).toMatchObject({ failed: 2, consecutiveFailures: 2 });
    await eventually(async () => (await temporalOf(id).describe()).state.paused);
    expect((await api.post(path(id, '/resume'))).body.counts.consecutiveFailures).toBe(0);
    await api.delete(path(id));
  });
});

describe.concurrent('trigger', () => {
  it('five times within one second makes five runs and five rows, also while paused', async () => {
    const id = unique();
    await put(id, { cron: '0 0 1 1 *', paused: true, job: job(id) });
    const answers = await Promise.all(Array.from({ length: 5 }, () => api.post(path(id, '/trigger'))));
    for (const { status, body } of answers) {
      expect(status).toBe(201);
      expect(body.id).toMatch(new RegExp(`^${id}-t-[0-9a-f]{32}$`));
    }
    await eventually(() => target.at(`/${id}`).length === 5);
    const ticks = await ticksOf(id);
    expect(ticks.map(({ outcome }) => outcome)).toEqual(Array(5).fill('triggered'));
    expect(new Set(ticks.map(({ jobId }) => jobId))).toEqual(new Set(answers.map(({ body }) => body.id)));
  });

  it('makes one run per idempotency key', async () => {
    const id = unique();
    await put(id, { cron: '0 0 1 1 *', job: job(id) });
    const key = { 'idempotency-key': 'one' };
    const [one, other] = await Promise.all([1, 2].map(() => api.post(path(id, '/trigger'), undefined, key)));
    expect([one?.status, other?.status].sort()).toEqual([200, 201]);
    expect(one?.text).toBe(other?.text);
    expect(await ticksOf(id)).toHaveLength(1);
  });
});

describe.concurrent('backfill', () => {
  it('runs what never ran, once, however often it is asked for', async () => {
    const id = unique();
    await put(id, { every: '1h', job: job(id) });
    const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-01T04:00:00Z' };
    const first = await api.post(path(id, '/backfill'), range);
    expect([first.status, first.body]).toEqual([202, { accepted: 4 }]);
    await eventually(() => target.at(`/${id}`).length === 4);
    expect((await api.post(path(id, '/backfill'), { ...range, overlap: 'allowAll' })).body).toEqual({ accepted: 0 });
    const ticks = await ticksOf(id);
    expect(ticks.map(({ nominalTime, outcome }) => [nominalTime, outcome])).toEqual(
      [0, 1, 2, 3].map((hour) => [`2026-01-01T0${hour}:00:00Z`, 'backfilled']),
    );
    expect(ticks[0].jobId).toBe(`${id}-2026-01-01T00:00:00Z`);
    await eventually(async () => (await api.get(path(id))).body.counts.ran === 4);
  });

  it('runs a time that was skipped or paused when it came', async () => {
    const id = unique();
    await put(id, { every: '1s', paused: true, job: job(id) });
    const [paused] = await eventually(async () => {
      const ticks = await ticksOf(id);
      return ticks.length > 0 && ticks;
    });
    const from = paused.nominalTime;
    const to = nominalAfter(from);
    expect((await api.post(path(id, '/backfill'), { from, to })).body).toEqual({ accepted: 1 });
    await eventually(() => target.at(`/${id}`).length === 1);
    const [tick] = await ticksOf(id);
    expect(tick).toMatchObject({ nominalTime: from, outcome: 'backfilled', jobId: `${id}-${from}` });
    await eventually(async () => (await api.get(`/v1/jobs/${tick.jobId}`)).body.status === 'succeeded');
  });

  it('refuses more than a thousand times', async () => {
    const id = unique();
    await put(id, { every: '1s', paused: true, job: job(id) });
    const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:16:41Z' };
    const refused = await api.post(path(id, '/backfill'), range);
    expect([refused.status, refused.body.errors[0].pointer]).toEqual([422, '/to']);
    expect((await ticksOf(id)).every(({ outcome }) => outcome === 'paused')).toBe(true);
  });
});

describe.concurrent('replace', () => {
  it('loses no time that was due, and the new job runs from then on', async () => {
    const id = unique();
    expect((await api.put(path(id), { every: '1s', overlap: 'allowAll', job: job(`${id}/old`) })).status).toBe(201);
    await eventually(async () => (await ticksOf(id)).length >= 2);
    for (let count = 0; count < 10; count++) {
      const replaced = await api.put(path(id), {
        every: '1s',
        overlap: 'allowAll',
        note: `${count}`,
        job: job(`${id}/new`),
      });
      expect(replaced.status).toBe(200);
    }
    await eventually(() => target.at(`/${id}/new`).length >= 2);
    const ticks = await settled(id, 5);
    for (const { outcome } of ticks) expect(RAN).toContain(outcome);
  });
});

describe.concurrent('behind our back', () => {
  it('a schedule deleted in Temporal comes back, and what it missed is rows', async () => {
    const id = unique();
    await put(id, { every: '1s', overlap: 'allowAll', job: job(id) });
    await eventually(async () => (await ticksOf(id)).length >= 1);
    await temporalOf(id).delete();
    const deletedAt = Date.now();
    await eventually(() => isInTemporal(id));
    await eventually(async () => {
      const { values } = await instance.services.metrics.scheduleRepairs.get();
      return values.some(({ labels, value }) => labels.reason === 'missing' && value >= 1);
    });
    await eventually(async () => Date.parse((await ticksOf(id)).at(-1)?.nominalTime) > deletedAt + 4_000);
    for (const { outcome } of await settled(id, 5)) expect(RAN).toContain(outcome);
  });

  it('a schedule paused or changed in Temporal is put right', async () => {
    const id = unique();
    await put(id, { every: '1s', job: job(id) });
    await eventually(async () => (await ticksOf(id)).length >= 1);
    const before = await temporalOf(id).describe();
    await temporalOf(id).pause('by hand');
    await eventually(async () => !(await temporalOf(id).describe()).state.paused);
    await temporalOf(id).update((old) => ({ ...old, spec: { intervals: [{ every: '1h' }] } }));
    await eventually(async () => {
      const { spec } = await temporalOf(id).describe();
      return JSON.stringify(spec) === JSON.stringify(before.spec);
    });
    await api.delete(path(id));
  });

  it('a deleted schedule is gone in Temporal too, and can be made again', async () => {
    const id = unique();
    await put(id, { every: '1s', job: job(id) });
    await eventually(() => isInTemporal(id));
    expect((await api.delete(path(id))).status).toBe(204);
    expect((await api.get(path(id))).status).toBe(404);
    expect((await api.delete(path(id))).status).toBe(404);
    await eventually(async () => !(await isInTemporal(id)));
    expect((await api.put(path(id), { every: '1h', job: job(id) })).status).toBe(201);
    await eventually(() => isInTemporal(id));
  });
});
