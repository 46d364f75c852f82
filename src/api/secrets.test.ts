// Secrets end to end: they go in and never come out, calls get them, and whoever may not have them does not.
import { afterAll, beforeAll, expect, it } from 'vitest';

import { parseMasterKeys } from '../jobs/secrets/keyring.ts';
import { createSecretServices } from '../jobs/secrets/service.ts';
import { type Api, createApi, eventually, type Json } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';

const OLD_KEY = Buffer.alloc(32, 1).toString('base64');
const NEW_KEY = Buffer.alloc(32, 2).toString('hex');

let instance: Instance;
let receiver: Receiver;
let api: Api;

beforeAll(async () => {
  [instance, receiver] = await Promise.all([
    startInstance({ PERDURE_MASTER_KEY: OLD_KEY, PERDURE_REDACT: 'ssn,X-Session' }),
    startReceiver(),
  ]);
  api = createApi(instance.url);
});
afterAll(async () => {
  await instance.stop();
  await receiver.stop();
});

const ended = async (id: string): Promise<Json> => (await api.get(`/v1/jobs/${id}?wait=20s`)).body;

const submit = async (path: string, headers: Json, fields: Json = {}): Promise<Json> => {
  const { status, body, text } = await api.post('/v1/jobs', {
    http: { url: `${receiver.url}${path}`, headers },
    ...fields,
  });
  expect(status, text).toBe(201);
  return body;
};

const pointersOf = (answer: { body: Json }): string[] =>
  answer.body.errors.map(({ pointer }: { pointer: string }) => pointer);

/** All rows of all tables, as text. */
const dump = async (): Promise<string> => {
  const { db } = instance.services;
  const tables = await db.query<{ name: string }>(
    "select quote_ident(tablename) as name from pg_tables where schemaname = 'public'",
  );
  const rows = await Promise.all(tables.map(({ name }) => db.query<{ t: string }>(`select t::text from ${name} t`)));
  return rows
    .flat()
    .map(({ t }) => t)
    .join('\n');
};

it('is kept, replaced, listed and deleted, and its value is in no answer and no row', async () => {
  const created = await api.put('/v1/secrets/payments', { value: 'value-one-1111' });
  expect(created.status, created.text).toBe(201);
  expect(created.headers.get('location')).toBe('/v1/secrets/payments');
  expect(created.body).toEqual({
    ...{ name: 'payments', version: 1 },
    ...{ createdAt: expect.any(String), updatedAt: expect.any(String) },
  });
  const replaced = await api.put('/v1/secrets/payments', { value: 'value-two-2222' });
  expect([replaced.status, replaced.body.version]).toEqual([200, 2]);
  const one = await api.get('/v1/secrets/payments');
  expect(one.body).toEqual(replaced.body);
  await api.put('/v1/secrets/other', { value: 'x' });
  const list = await api.get('/v1/secrets?limit=1');
  expect(list.body).toMatchObject({ items: [{ name: 'other' }], nextCursor: expect.any(String) });
  const next = await api.get(`/v1/secrets?limit=1&cursor=${list.body.nextCursor}`);
  expect(next.body).toEqual({ items: [one.body], nextCursor: null });
  const said = [created, replaced, one, list, next].map(({ text }) => text).join('\n') + (await dump());
  expect(said).not.toContain('value-');
  expect((await api.delete('/v1/secrets/other')).status).toBe(204);
  expect((await api.delete('/v1/secrets/other')).status).toBe(404);
  expect((await api.get('/v1/secrets/other')).status).toBe(404);
});

it.each<[string, unknown, string[]]>([
  ['a b', { value: 'x' }, ['/path/name']],
  ['x'.repeat(65), { value: 'x' }, ['/path/name']],
  ['ok', {}, ['/value']],
  ['ok', { value: 1 }, ['/value']],
  ['ok', { value: '' }, ['/value']],
  ['ok', { value: ' x' }, ['/value']],
  ['ok', { value: 'line\nmarker' }, ['/value']],
  ['ok', { value: 'marker€' }, ['/value']],
  ['ok', { value: 'x'.repeat(8_193) }, ['/value']],
  ['ok', { value: 'x', marker: 1 }, ['/marker']],
])('as %s with %j it is refused, and not quoted', async (name, body, pointers) => {
  const answer = await api.put(`/v1/secrets/${encodeURIComponent(name)}`, body);
  expect([answer.status, pointersOf(answer)]).toEqual([422, pointers]);
  expect(answer.body.errors[0].detail).not.toContain('marker');
});

it('is put into the headers of the call, and what its target repeats is not kept', async () => {
  await api.put('/v1/secrets/echoed', { value: 'echo-"quoted"-5555' });
  receiver.on('/echo', ({ headers }, response) => {
    const seen = String(headers['x-custom']);
    response.setHeader('x-seen', seen).setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ seen, auth: headers.authorization, kept: 'yes' }));
  });
  const { id, http } = await submit('/echo', {
    ...{ Authorization: { secret: 'payments', format: 'Bearer {}' }, 'X-Custom': { secret: 'echoed' } },
    ...{ 'X-Plain': 'seen' },
  });
  expect(http.headers).toEqual({ Authorization: '[redacted]', 'X-Custom': { secret: 'echoed' }, 'X-Plain': 'seen' });
  const done = await ended(id);
  expect(receiver.at('/echo')[0]?.headers).toMatchObject({
    ...{ authorization: 'Bearer value-two-2222', 'x-custom': 'echo-"quoted"-5555', 'x-plain': 'seen' },
  });
  expect(done.result.body).toEqual({ seen: '[redacted]', auth: 'Bearer [redacted]', kept: 'yes' });
  expect(done.result.headers['x-seen']).toBe('[redacted]');
});

it('a replaced value is used within seconds', async () => {
  await api.put('/v1/secrets/turning', { value: 'before' });
  await ended((await submit('/turn', { 'X-A': { secret: 'turning' } })).id);
  await api.put('/v1/secrets/turning', { value: 'after' });
  const replacedAt = Date.now();
  await eventually(async () => {
    await ended((await submit('/turn', { 'X-A': { secret: 'turning' } })).id);
    return receiver.at('/turn').at(-1)?.headers['x-a'] === 'after';
  });
  expect(Date.now() - replacedAt).toBeLessThan(5_000);
  expect(receiver.at('/turn')[0]?.headers['x-a']).toBe('before');
});

it('one that does not exist is named wherever it stands', async () => {
  const http = { url: receiver.url, headers: { 'X-A': { secret: 'none' } } };
  const cases: [Promise<{ status: number; body: Json }>, string[]][] = [
    [api.post('/v1/jobs', { http }), ['/http/headers/X-A/secret']],
    [
      api.post('/v1/batches', {
        defaults: { http },
        items: [{ labels: {} }, { http: { headers: { 'X-B': { secret: 'nor' } } } }],
      }),
      ['/defaults/http/headers/X-A/secret', '/items/1/http/headers/X-B/secret'],
    ],
    [api.put('/v1/schedules/unknown', { every: '1h', job: { http } }), ['/job/http/headers/X-A/secret']],
    [api.put('/v1/workflows/unknown', { steps: [{ id: 'a', http }] }), ['/steps/0/http/headers/X-A/secret']],
    [
      api.post('/v1/workflows/validate', { steps: [{ id: 'a', http: { url: receiver.url }, compensate: { http } }] }),
      ['/steps/0/compensate/http/headers/X-A/secret'],
    ],
    [
      api.post('/v1/runs', { definition: { steps: [{ id: 'a', http }] } }),
      ['/definition/steps/0/http/headers/X-A/secret'],
    ],
  ];
  for (const [answering, pointers] of cases) {
    const answer = await answering;
    expect([answer.status, answer.body.code, pointersOf(answer)]).toEqual([422, 'validationFailed', pointers]);
  }
});

it('one that was deleted meanwhile fails the job for good, and a redrive after a new one succeeds', async () => {
  await api.put('/v1/secrets/fleeting', { value: 'here-and-gone' });
  const { id } = await submit('/fleeting', { 'X-A': { secret: 'fleeting' } }, { delay: '1s' });
  await api.delete('/v1/secrets/fleeting');
  const failed = await ended(id);
  expect(failed).toMatchObject({ status: 'failed', attempts: 1, error: { code: 'secretNotFound' } });
  expect(receiver.at('/fleeting')).toEqual([]);
  const letters = await api.get('/v1/dead-letters?reason=secretNotFound');
  const redrive = `/v1/dead-letters/${letters.body.items[0].id}/redrive`;
  expect(pointersOf(await api.post(redrive))).toEqual(['/patch/http/headers/X-A/secret']);
  await api.put('/v1/secrets/fleeting', { value: 'back again' });
  const again = await api.post(redrive);
  expect(await ended(again.body.id)).toMatchObject({ status: 'succeeded' });
  expect(receiver.at('/fleeting')[0]?.headers['x-a']).toBe('back again');
});

it('what answers show in place of a value is not taken for one', async () => {
  const { http } = await submit('/ok', { Authorization: 'Bearer plain-token-1' });
  const { status, body } = await api.post('/v1/jobs', { http: { url: http.url, headers: http.headers } });
  expect([status, pointersOf({ body })]).toEqual([422, ['/http/headers/Authorization']]);
  const sealed = await api.post('/v1/jobs', { http: { url: http.url, headers: { 'X-A': { sealed: 'a.b' } } } });
  expect(sealed.status).toBe(422);
});

it('a sensitive header given in plain is sealed in every row, sent, and kept by redrives', async () => {
  receiver.on('/sealed', (_request, response, nth) => void response.writeHead(nth === 1 ? 400 : 200).end());
  const headers = { Authorization: 'Bearer plain-token-7777', 'X-Session': 'session-8888', 'X-Plain': 'shown' };
  const { id } = await submit('/sealed', headers);
  expect((await ended(id)).status).toBe('failed');
  expect((await ended(id)).http.headers).toEqual({
    ...{ Authorization: '[redacted]', 'X-Session': '[redacted]', 'X-Plain': 'shown' },
  });
  const letters = await api.get('/v1/dead-letters?reason=nonRetryable');
  const letter = letters.body.items.find((one: Json) => one.jobId === id);
  const patch = { http: { headers: { 'X-Plain': 'changed', 'X-Api-Key': 'patched-key-9999' } } };
  const bulk = await api.post('/v1/dead-letters/redrive', { ids: [letter.id], patch });
  await eventually(async () => (await api.get(`/v1/bulk-operations/${bulk.body.id}`)).body.counts.done === 1);
  const [again] = (await api.get('/v1/jobs?limit=1')).body.items;
  expect((await ended(again.id)).status).toBe('succeeded');
  const [first, second] = receiver.at('/sealed').map((one) => one.headers);
  expect(first).toMatchObject({ authorization: 'Bearer plain-token-7777', 'x-session': 'session-8888' });
  expect(second).toMatchObject({
    ...{ authorization: 'Bearer plain-token-7777', 'x-plain': 'changed', 'x-api-key': 'patched-key-9999' },
  });
  const rows = await dump();
  expect(rows).toContain('"sealed"');
  for (const value of ['plain-token-7777', 'session-8888', 'patched-key-9999']) expect(rows).not.toContain(value);
});

it('putting the same schedule or workflow again changes nothing, although it holds a sealed value', async () => {
  const http = { url: `${receiver.url}/same`, headers: { Authorization: 'Bearer same-token-1' } };
  const schedule = { every: '1h', startAt: '2030-01-01T00:00:00Z', job: { http } };
  const first = await api.put('/v1/schedules/same', schedule);
  const second = await api.put('/v1/schedules/same', schedule);
  expect([first.status, second.status, second.body.updatedAt]).toEqual([201, 200, first.body.updatedAt]);
  const workflow = { steps: [{ id: 'a', http }], notify: [] };
  expect((await api.put('/v1/workflows/same', workflow)).status).toBe(201);
  const again = await api.put('/v1/workflows/same', workflow);
  expect([again.status, again.body.version]).toEqual([200, 1]);
  expect(again.body.definition.steps[0].http.headers).toEqual({ Authorization: '[redacted]' });
});

it('fields that the user names are hidden in requests and results', async () => {
  receiver.on('/fields', (_request, response) => {
    response.setHeader('content-type', 'application/json').end('{"deep":[{"SSN":"marker-1"}],"a":1}');
  });
  const http = {
    url: `${receiver.url}/fields?ssn=marker-2`,
    query: { ssn: 'marker-3' },
    body: { ssn: 'marker-4', b: 2 },
  };
  const created = await api.post('/v1/jobs', { http });
  const done = await api.get(`/v1/jobs/${created.body.id}?wait=20s`);
  expect(created.text + done.text).not.toContain('marker');
  expect(done.body).toMatchObject({ result: { body: { a: 1 } }, http: { body: { b: 2 } } });
  expect(receiver.received.find(({ path }) => path.startsWith('/fields'))?.body).toContain('marker-4');
});

it('belongs to its tenant: another can neither read nor name it, nor read its row', async () => {
  const { secrets, db } = instance.services;
  await secrets.put('elsewhere', 'theirs', 'their value');
  expect((await api.get('/v1/secrets/theirs')).status).toBe(404);
  const answer = await api.post('/v1/jobs', { http: { url: receiver.url, headers: { 'X-A': { secret: 'theirs' } } } });
  expect(answer.status).toBe(422);
  // Someone who can write rows makes it their own: it stays unreadable.
  await db.query("update secrets set tenant = 'default' where name = 'theirs'");
  const { id } = await submit('/theirs', { 'X-A': { secret: 'theirs' } }, { retry: { maxAttempts: 1 } });
  expect(await ended(id)).toMatchObject({ status: 'failed', error: { code: 'secretUnreadable' } });
  expect(receiver.at('/theirs')).toEqual([]);
  await db.query("delete from secrets where name = 'theirs'");
});

it('a new master key takes over: all secrets are encrypted under it, and the old one is no longer needed', async () => {
  const { db } = instance.services;
  const withKeys = (keys: string) =>
    createSecretServices({
      ...{ db, namespace: 'default', redact: [], encryption: 'off' as const, masterKeys: parseMasterKeys(keys) },
    });
  for (let at = 0; at < 130; at++) await instance.services.secrets.put('rotating', `s${at}`, `value ${at}`);
  await expect(withKeys(NEW_KEY).secrets.resolve('rotating', 's1')).rejects.toThrow('master key');
  const rotated = await withKeys(`${NEW_KEY},${OLD_KEY}`).secrets.rotate();
  expect(rotated).toMatchObject({ unreadable: 0 });
  expect(rotated.rotated).toBeGreaterThanOrEqual(130);
  expect(await withKeys(NEW_KEY).secrets.resolve('rotating', 's129')).toBe('value 129');
  expect(await withKeys(`${NEW_KEY},${OLD_KEY}`).secrets.rotate()).toEqual({ rotated: 0, unreadable: 0 });
});

it('without a master key nothing is kept, and the answer says what is missing', async () => {
  const { db } = instance.services;
  const { secrets } = createSecretServices({
    ...{ db, namespace: 'default', redact: [], encryption: 'off', masterKeys: [] },
  });
  expect(await secrets.put('default', 'nothing', 'x')).toEqual({ kind: 'masterKeyMissing' });
});
