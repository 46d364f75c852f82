// Lists: pages without a gap or a double, filters that mean what they say.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Api, createApi, eventually } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { type Receiver, startReceiver } from '../testing/receiver.ts';

let instance: Instance;
let receiver: Receiver;
let api: Api;
/** Newest last. */
const ids: string[] = [];

beforeAll(async () => {
  [instance, receiver] = await Promise.all([startInstance(), startReceiver()]);
  api = createApi(instance.url);
  for (let start = 0; start < 230; start += 46) {
    const posts = Array.from({ length: 46 }, (_, index) => submit(start + index));
    ids.push(...(await Promise.all(posts)));
  }
});
afterAll(async () => {
  await instance.stop();
  await receiver.stop();
});

async function submit(n: number): Promise<string> {
  const { status, body } = await api.post('/v1/jobs', {
    name: `n${n % 3}`,
    http: { url: `http://${n % 2 ? 'even.example' : 'odd.example'}:8080/` },
    delay: '1h',
    labels: { team: `t${n % 4}`, 'a"b': String(n % 2) },
  });
  expect(status).toBe(201);
  return body.id;
}

interface Listed {
  id: string;
  name: string;
  createdAt: string;
  labels: Record<string, string>;
  http: { url: string };
}

async function all(query: string, path = '/v1/jobs'): Promise<Listed[]> {
  const items: Listed[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = await api.get(`${path}?${query}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    expect(page.status).toBe(200);
    items.push(...page.body.items);
    cursor = page.body.nextCursor;
  }
  return items;
}

describe('a list of jobs', () => {
  it.each([7, 50, 115, 200])('shows each once, newest first, in pages of %i', async (limit) => {
    const listed = await all(`limit=${limit}`);
    expect(listed.map(({ id }) => id).sort()).toEqual([...ids].sort());
    const times = listed.map(({ createdAt }) => createdAt);
    expect(times).toEqual([...times].sort().reverse());
  });

  it('has 50 on a page unless asked for more', async () => {
    expect((await api.get('/v1/jobs')).body.items).toHaveLength(50);
  });

  it('does not move what is new into pages that follow', async () => {
    const first = await api.get('/v1/jobs?limit=100');
    ids.push(await submit(0));
    const second = await api.get(`/v1/jobs?limit=200&cursor=${encodeURIComponent(first.body.nextCursor)}`);
    const shown = [...first.body.items, ...second.body.items].map(({ id }: Listed) => id);
    expect(new Set(shown).size).toBe(230);
    expect(second.body.nextCursor).toBeNull();
  });

  it('takes one filter given twice as OR and two filters as AND', async () => {
    const either = await all('name=n0&name=n1&limit=200');
    expect(new Set(either.map(({ name }) => name))).toEqual(new Set(['n0', 'n1']));
    const both = await all('name=n0&label=team:t1&limit=200');
    expect(both.length).toBeGreaterThan(10);
    expect(both.every(({ name, labels }) => name === 'n0' && labels.team === 't1')).toBe(true);
    const labels = await all('label=team:t1&label=team:t2&label=a%22b:9&limit=200');
    expect(new Set(labels.map((job) => job.labels.team))).toEqual(new Set(['t1', 't2']));
    expect(await all('label=a%22b:0&host=even.example')).toEqual([]);
    expect(await all('status=succeeded&status=failed')).toEqual([]);
    expect((await all('status=scheduled&status=failed&limit=200')).length).toBe(ids.length);
  });

  it('matches a host without its port, in any case', async () => {
    const even = await all('host=EVEN.example&limit=200');
    expect(even).toHaveLength(115);
    expect(even.every(({ http }) => http.url === 'http://even.example:8080/')).toBe(true);
  });

  it('includes createdAfter and excludes createdBefore', async () => {
    const listed = await all('limit=200');
    const middle = listed[100]?.createdAt ?? '';
    const from = await all(`createdAfter=${middle}&limit=200`);
    const before = await all(`createdBefore=${middle}&limit=200`);
    expect(from.every(({ createdAt }) => createdAt >= middle)).toBe(true);
    expect(before.every(({ createdAt }) => createdAt < middle)).toBe(true);
    expect(from.length + before.length).toBe(listed.length);
    const offset = encodeURIComponent('2000-01-01T01:00:00+01:00');
    expect(await all(`createdBefore=${offset}`)).toEqual([]);
  });

  it('finds nothing where nothing is, and says so', async () => {
    for (const query of ['scheduleId=none', 'batchId=bat_none', 'name=%25', "name=';--"]) {
      expect((await api.get(`/v1/jobs?${query}`)).body).toEqual({ items: [], nextCursor: null });
    }
  });

  it.each([
    ...['limit=0', 'limit=201', 'limit=x', 'limit=', 'limit=1&limit=2', 'limit=1e2', 'status=done', 'status=', 'foo=1'],
    ...[
      'cursor=x',
      'cursor=',
      'cursor=%00',
      `cursor=${Buffer.from('2026-99-99T00:00:00Z job_1').toString('base64url')}`,
    ],
    ...[`cursor=${Buffer.from('99999999999999999999 job_1').toString('base64url')}`, 'createdAfter=yesterday'],
    ...['createdBefore=2026-02-30T00:00:00Z', 'createdAfter=2026-01-01', 'label=x', 'label=:x', 'name=%00', 'Limit=5'],
    `name=${'x'.repeat(513)}`,
  ])('refuses ?%s', async (query) => {
    const { status, body } = await api.get(`/v1/jobs?${query}`);
    expect(status).toBe(422);
    expect(body.errors[0].pointer).toMatch(`/query/${query.split('=')[0]}`);
  });
});

it('shows each dead letter once, also those of the same millisecond', async () => {
  const spec = { http: { url: `${receiver.url}/`, successOn: [599] }, name: 'dying' };
  const dead = await Promise.all(Array.from({ length: 60 }, () => api.post('/v1/jobs', spec)));
  const letters = await eventually(async () => {
    const found = await all('limit=200', '/v1/dead-letters');
    return found.length === 60 && found;
  });
  for (const limit of [1, 7]) {
    const paged = await all(`limit=${limit}`, '/v1/dead-letters');
    expect(paged.map(({ id }) => id)).toEqual(letters.map(({ id }) => id));
  }
  expect(dead.every(({ status }) => status === 201)).toBe(true);
});
