// What the API of schedules takes and refuses: a refused one leaves nothing behind, in PostgreSQL or in Temporal.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Api, createApi, eventually, type Json } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';

let instance: Instance;
let api: Api;

beforeAll(async () => {
  instance = await startInstance();
  api = createApi(instance.url);
});

afterAll(async () => {
  await instance?.stop();
});

const job = { http: { url: 'http://127.0.0.1:9999/never' } };
const yearly = '0 0 1 1 *';
const past = '2020-01-01T00:00:00Z';
const far = '2099-01-01T00:00:00Z';

describe('201 and 200', () => {
  it('a schedule is answered with everything filled in, and an equal one changes nothing', async () => {
    const schedule = { cron: '0 */1 * * * *', timezone: 'Europe/Paris', job };
    const created = await api.put('/v1/schedules/full', schedule);
    expect([created.status, created.headers.get('location')]).toEqual([201, '/v1/schedules/full']);
    expect(created.body).toMatchObject({
      id: 'full',
      cron: '0 */1 * * * *',
      every: null,
      at: null,
      timezone: 'Europe/Paris',
      workflow: null,
      overlap: 'skip',
      catchupWindow: '10m',
      jitter: '0s',
      startAt: null,
      endAt: null,
      paused: false,
      note: '',
      pauseAfterFailures: null,
      lastFire: null,
      counts: { ran: 0, skipped: 0, missed: 0, failed: 0, consecutiveFailures: 0 },
      links: { self: '/v1/schedules/full' },
    });
    expect(created.body.job.http.method).toBe('GET');
    const again = await api.put('/v1/schedules/full', schedule);
    expect([again.status, again.body.updatedAt]).toEqual([200, created.body.updatedAt]);
    const changed = await api.put('/v1/schedules/full', { every: '15m', job });
    expect(changed.body).toMatchObject({ cron: null, every: '15m', createdAt: created.body.createdAt });
    expect((await api.get('/v1/schedules/full')).body.every).toBe('15m');
  });

  it('one whose only time has passed is answered as it stands, and never changed to another that has', async () => {
    const at = new Date(Date.now() + 1_500).toISOString();
    const created = await api.put('/v1/schedules/over', { at, job });
    expect(created.status).toBe(201);
    const isOver = async () => (await api.get('/v1/schedules/over')).body.nextFireTimes.length === 0;
    await eventually(isOver, { timeoutMs: 10_000 });
    const again = await api.put('/v1/schedules/over', { at, job });
    expect([again.status, again.body.updatedAt]).toEqual([200, created.body.updatedAt]);
    for (const other of [
      { at: past, job },
      { at, job: { ...job, name: 'other' } },
    ]) {
      expect((await api.put('/v1/schedules/over', other)).status).toBe(422);
    }
    expect((await api.put('/v1/schedules/new', { at, job })).status).toBe(422);
  });

  it('secrets in headers are not shown', async () => {
    const secret = { http: { ...job.http, headers: { Authorization: 'Bearer x' } } };
    const { body } = await api.put('/v1/schedules/secret', { cron: yearly, job: secret });
    expect(body.job.http.headers).toEqual({ Authorization: '[redacted]' });
  });

  it('a list is newest first, page by page', async () => {
    for (const id of ['p1', 'p2', 'p3']) await api.put(`/v1/schedules/${id}`, { cron: yearly, job });
    const first = await api.get('/v1/schedules?limit=2');
    expect(first.body.items.map(({ id }: Json) => id)).toEqual(['p3', 'p2']);
    const second = await api.get(`/v1/schedules?limit=1&cursor=${first.body.nextCursor}`);
    expect(second.body.items[0].id).toBe('p1');
  });
});

describe('422', () => {
  it.each<[string, object]>([
    ['/cron', { cron: '' }],
    ['/cron', { cron: '* * * *' }],
    ['/cron', { cron: '* * * * * * *' }],
    ['/cron', { cron: '60 * * * *' }],
    ['/cron', { cron: '*/0 * * * *' }],
    ['/cron', { cron: '5-1 * * * *' }],
    ['/cron', { cron: '1/70 * * * *' }],
    ['/cron', { cron: '5/15 * * * *' }],
    ['/cron', { cron: '*/60 * * * *' }],
    ['/cron', { cron: '0 0 L * *' }],
    ['/cron', { cron: '0 0 1W * *' }],
    ['/cron', { cron: '0 0 * * 1#2' }],
    ['/cron', { cron: '0 0 ? * *' }],
    ['/cron', { cron: '@reboot' }],
    ['/cron', { cron: '\uff10 0 * * *' }],
    ['/cron', { cron: '0 0\n* * *' }],
    ['/cron', { cron: `${'1,'.repeat(1_000)}1 * * * *` }],
    ['/cron', { cron: '0 0 30 2 *' }],
    ['/cron', { cron: 5 }],
    ['/cron', {}],
    ['/cron', { cron: yearly, every: '5m' }],
    ['/endAt', { cron: yearly, startAt: '2027-06-01T00:00:00Z', endAt: '2027-01-01T00:00:00Z' }],
    ['/endAt', { cron: yearly, endAt: past }],
    ['/endAt', { cron: yearly, endAt: far }],
    ['/timezone', { cron: yearly, timezone: 'Mars/Olympus' }],
    ['/timezone', { cron: yearly, timezone: '../../etc/passwd' }],
    ['/timezone', { cron: yearly, timezone: '/usr/share/zoneinfo/UTC' }],
    ['/timezone', { cron: yearly, timezone: '+02:00' }],
    ['/every', { every: '0s' }],
    ['/every', { every: '-5m' }],
    ['/every', { every: '1.5s' }],
    ['/every', { every: '1500ms' }],
    ['/every', { every: 60 }],
    ['/at', { at: past }],
    ['/at', { at: far }],
    ['/at', { at: 'tomorrow' }],
    ['/jitter', { every: '1m', jitter: '1m' }],
    ['/jitter', { cron: '0,1 * * * *', jitter: '90s' }],
    ['/catchupWindow', { cron: yearly, catchupWindow: '9s' }],
    ['/overlap', { cron: yearly, overlap: 'sometimes' }],
    ['/pauseAfterFailures', { cron: yearly, pauseAfterFailures: 0 }],
    ['/paused', { cron: yearly, paused: 'yes' }],
    ['/notAField', { cron: yearly, notAField: 1 }],
    ['/job', { cron: yearly, job: undefined }],
    ['/job/runAt', { cron: yearly, job: { ...job, runAt: '2027-01-01T00:00:00Z' } }],
    ['/job/delay', { cron: yearly, job: { ...job, delay: '5s' } }],
    ['/job/http', { cron: yearly, job: {} }],
    ['/job/http/url', { cron: yearly, job: { http: { url: 'ftp://x' } } }],
    ['/workflow', { cron: yearly, workflow: { name: 'w' } }],
    ['/workflow/name', { cron: yearly, job: undefined, workflow: { name: 'nobody-knows-it' } }],
  ])('%s of %j is refused', async (pointer, schedule) => {
    const answer = await api.put('/v1/schedules/bad', { job, ...schedule });
    expect(answer.status, answer.text).toBe(422);
    expect(answer.body.errors.map((fault: Json) => fault.pointer)).toContain(pointer);
  });

  it.each(['a%2Fb', 'a/b', 'a.b', 'preview', 'a%20b', 'x'.repeat(65), '%C3%A4'])('the id %s is refused', async (id) => {
    const answer = await api.put(`/v1/schedules/${id}`, { cron: yearly, job });
    expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([422, '/id']);
  });

  it('every fault is named at once', async () => {
    const { body } = await api.put('/v1/schedules/bad', { cron: '@reboot', timezone: 'X', overlap: 'y', job: {} });
    const pointers = body.errors.map((fault: Json) => fault.pointer).sort();
    expect(pointers).toEqual(['/cron', '/job/http', '/overlap', '/timezone']);
  });

  it('nothing of it is stored', async () => {
    expect((await api.get('/v1/schedules/bad')).status).toBe(404);
    await expect(instance.services.client.schedule.getHandle('bad').describe()).rejects.toThrow();
  });

  it.each([
    '?cron=0 0 30 2 *',
    '?cron=* * * * *&every=5m',
    '',
    '?cron=* * * * *&count=0',
    '?cron=* * * * *&count=1001',
    '?cron=* * * * *&from=now',
    '?cron=* * * * *&timezone=Nowhere',
    '?cron=* * * * *&what=1',
  ])('the preview %s is refused', async (query) => {
    expect((await api.get(`/v1/schedules/preview${query}`)).status).toBe(422);
  });

  it.each(['?from=x', '?createdAfter=2026-01-01T00:00:00Z', '?outcome=fine', '?limit=201', '?cursor=~'])(
    'ticks%s are refused',
    async (query) => {
      await api.put('/v1/schedules/ticked', { cron: yearly, job });
      expect((await api.get(`/v1/schedules/ticked/ticks${query}`)).status).toBe(422);
    },
  );
});

describe('404', () => {
  it.each(['GET ', 'DELETE ', 'POST /pause', 'POST /resume', 'POST /trigger', 'GET /ticks'])('%s', async (call) => {
    const [method = '', action = ''] = call.split(' ');
    expect((await api.call(method, `/v1/schedules/nobody${action}`)).status).toBe(404);
  });
});

describe('preview', () => {
  it.each<[string, string, string, string[]]>([
    [
      'a local time that comes twice fires at both instants',
      '30 2 * * *',
      '2026-10-24T12:00:00Z',
      ['2026-10-25T02:30:00+02:00', '2026-10-25T02:30:00+01:00', '2026-10-26T02:30:00+01:00'],
    ],
    [
      'a local time that does not exist is skipped',
      '30 2 * * *',
      '2027-03-27T00:00:00Z',
      ['2027-03-27T02:30:00+01:00', '2027-03-29T02:30:00+02:00', '2027-03-30T02:30:00+02:00'],
    ],
  ])('%s', async (_name, cron, from, fireTimes) => {
    const query = new URLSearchParams({ cron, timezone: 'Europe/Paris', from, count: '3' });
    const { status, body } = await api.get(`/v1/schedules/preview?${query.toString()}`);
    expect([status, body]).toEqual([200, { fireTimes }]);
  });
});
