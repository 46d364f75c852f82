// The audit log: a row for whatever changed something, before the answer leaves; and no way to change a row.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import type { AuditRow } from '../db/audit.ts';
import { type AccessApi, bearer, signToken, startAccessApi } from '../testing/access.ts';
import { createApi } from '../testing/api.ts';
import { expectProblem } from '../testing/problem.ts';
import { createAuditWriter } from './auth/audit-writer.ts';

let access: AccessApi;
let api: ReturnType<typeof createApi>;
let admin: { authorization: string };
beforeAll(async () => {
  access = await startAccessApi();
  api = createApi(access.url);
  admin = bearer(await signToken({ sub: 'ada' }));
});
afterAll(() => access.stop());

const newKey = (name: string, headers = {}) =>
  api.post('/v1/api-keys', { name, scopes: ['read'] }, { ...admin, ...headers });

describe('what was done', () => {
  test('says who did what to which thing, in which request and how it ended', async () => {
    const made = await newKey('audited', { 'x-request-id': 'request-1' });
    const { id, prefix } = made.body;
    const successor = (await api.post(`/v1/api-keys/${id}/rotate`, {}, admin)).body;
    await api.delete(`/v1/api-keys/${id}`, admin);
    const { items } = (await api.get(`/v1/audit?target=${id}`, admin)).body;
    expect(items).toHaveLength(3);
    const by = { tenant: 'default', actor: 'ada', auth: 'jwt', target: { kind: 'apiKey', id } };
    const row = { id: expect.stringMatching(/^aud_/), at: expect.any(String), requestId: expect.any(String), ...by };
    const detail = { name: 'audited', scopes: ['read'], tenant: 'default' };
    expect(items).toEqual([
      { ...row, action: 'apiKey.delete', detail: { status: 204 } },
      {
        ...row,
        action: 'apiKey.rotate',
        detail: { status: 201, made: successor.id, ...detail, prefix: successor.prefix },
      },
      { ...row, action: 'apiKey.create', requestId: 'request-1', detail: { status: 201, ...detail, prefix } },
    ]);
  });

  test('is there when the answer is', async () => {
    for (let turn = 0; turn < 10; turn += 1) {
      const { id } = (await newKey(`turn ${turn}`)).body;
      expect((await api.get(`/v1/audit?target=${id}`, admin)).body.items).toHaveLength(1);
    }
  });

  test('is not what was only asked, refused or read', async () => {
    const count = async () => (await access.db.query<{ n: number }>('select count(*)::int as n from audit_log'))[0]?.n;
    const before = await count();
    await api.get('/v1/api-keys', admin);
    await api.post('/v1/api-keys', { name: 'wrong' }, admin);
    await api.delete('/v1/api-keys/key_nothing', admin);
    await api.post('/v1/api-keys', { name: 'a', scopes: ['read'] }, bearer(await signToken({ scope: 'operate' })));
    expect(await count()).toBe(before);
  });

  test('is seen by the admins of the same tenant, by actor, action, target and time', async () => {
    const acme = bearer(await signToken({ sub: 'acme-admin', tenant: 'acme' }));
    const { id } = (await api.post('/v1/api-keys', { name: 'theirs', scopes: ['read'] }, acme)).body;
    const seen = async (query: string, who = acme) => (await api.get(`/v1/audit?${query}`, who)).body.items.length;
    expect([await seen(''), await seen(`target=${id}`, admin), await seen('actor=acme-admin', admin)]).toEqual([
      1, 0, 0,
    ]);
    expect([await seen('actor=acme-admin'), await seen('actor=ada'), await seen('actor=ada&actor=acme-admin')]).toEqual(
      [1, 0, 1],
    );
    expect([await seen('action=apiKey.create'), await seen('action=apiKey.delete')]).toEqual([1, 0]);
    expect(await seen('createdBefore=2026-01-01T00:00:00Z')).toBe(0);
    const unknown = await api.get('/v1/audit?action=apiKey.eat&who=ada', acme);
    expect([unknown.status, unknown.body.errors.map((one: { pointer: string }) => one.pointer)]).toEqual([
      422,
      ['/query/action', '/query/who'],
    ]);
  });

  test('is read page by page', async () => {
    const all = (await api.get('/v1/audit?actor=ada&limit=200', admin)).body.items;
    const first = (await api.get('/v1/audit?actor=ada&limit=5', admin)).body;
    const second = (await api.get(`/v1/audit?actor=ada&limit=200&cursor=${first.nextCursor}`, admin)).body;
    expect([...first.items, ...second.items]).toEqual(all);
  });
});

describe('rows that cannot be written', () => {
  afterEach(() => access.db.query('alter table audit_log drop constraint if exists never'));

  test('hold back the success: the answer is that nobody knows, and the same request again is audited', async () => {
    await access.db.query('alter table audit_log add constraint never check (false) not valid');
    const answer = await newKey('unaudited');
    expect([answer.status, answer.body.code]).toEqual([503, 'storeUnavailable']);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(answer.headers.get('location')).toBeNull();
    expect(answer.text).not.toContain('perdure_');
    expect(Object.keys(answer.body)).toContain('instance');
    await access.db.query('alter table audit_log drop constraint never');
    expect((await newKey('unaudited')).status).toBe(201);
    expectProblem(await api.get('/v1/nothing', admin));
  });
});

describe('rows that are written', () => {
  test.each([
    "update audit_log set actor = 'nobody'",
    'delete from audit_log',
    'truncate audit_log',
    "select set_config('perdure.audit_retention', 'off', true); delete from audit_log",
  ])('stay as they are: %s', async (statement) => {
    await newKey('kept');
    const parts = statement.split('; ');
    const change = access.db.transaction(async (tx) => {
      for (const part of parts) await tx.query(part);
    });
    await expect(change).rejects.toThrow('audit_log is append-only');
  });

  test('may go, but not change, in a transaction that says it is retention', async () => {
    const write = createAuditWriter(access.db);
    await write(row({ id: 'aud_old', createdAt: new Date('2020-01-01T00:00:00Z') }));
    const asRetention = (statement: string) =>
      access.db.transaction(async (tx) => {
        await tx.query("select set_config('perdure.audit_retention', 'on', true)");
        return tx.query(statement);
      });
    await expect(asRetention("update audit_log set actor = 'x' where id = 'aud_old'")).rejects.toThrow('append-only');
    await expect(asRetention('truncate audit_log')).rejects.toThrow('append-only');
    expect(await asRetention("delete from audit_log where id = 'aud_old' returning id")).toHaveLength(1);
    await expect(access.db.query('delete from audit_log')).rejects.toThrow('append-only');
  });

  test('of requests that end at once share statements, and each hears of its own', async () => {
    let statements = 0;
    const counting = {
      ...access.db,
      query: <T>(...args: [string, unknown[]?]) => (statements++, access.db.query<T>(...args)),
    };
    const write = createAuditWriter(counting);
    const ids = Array.from({ length: 200 }, (_, nth) => `aud_many${nth}`);
    await Promise.all(ids.map((id, nth) => write(row({ id, tenant: nth % 2 ? 'acme' : 'default' }))));
    expect(statements).toBeLessThanOrEqual(3);
    const kept = await access.db.query('select id from audit_log where id = any($1)', [ids]);
    expect(kept).toHaveLength(200);
    await expect(write(row({ id: 'aud_many0' }))).rejects.toThrow(/duplicate key/);
    await write(row({ id: 'aud_after' }));
  });
});

function row(given: Partial<AuditRow>): AuditRow {
  const target = { targetKind: 'job', targetId: 'job_1' };
  const who = { tenant: 'default', actor: 'ada', auth: 'jwt' as const, requestId: 'request' };
  return { id: 'aud_x', ...who, action: 'job.create', ...target, detail: {}, createdAt: new Date(), ...given };
}
