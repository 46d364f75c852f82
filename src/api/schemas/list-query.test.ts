// Proves which queries of a list are taken, and that every other one is named.

import { describe, expect, it } from 'vitest';

import { type FilterRules, parseListQuery } from './list-query.ts';

const filters: FilterRules = {
  status: { values: ['queued', 'failed'] },
  name: {},
  redriven: { values: ['true', 'false'], repeatable: false },
  label: {},
};
const parse = (query: string) => parseListQuery(new URLSearchParams(query), { filters });

describe('parseListQuery', () => {
  it('has defaults, and no filter that was not given', () => {
    expect(parse('')).toEqual({
      ...{ ok: true, limit: 50, cursor: null, createdAfter: null, createdBefore: null },
      filters: {},
    });
  });

  it('reads every parameter; a repeated filter has each of its values once', () => {
    const query =
      'limit=200&cursor=abc_-.~&createdAfter=2026-01-01T00:00:00Z&createdBefore=2026-02-01T00:00:00%2B01:00' +
      '&status=queued&status=failed&status=queued&name=a%20b&redriven=true&label=team:billing&label=url:http://x:1&label=a:';
    expect(parse(query)).toEqual({
      ...{ ok: true, limit: 200, cursor: 'abc_-.~' },
      createdAfter: new Date('2026-01-01T00:00:00Z'),
      createdBefore: new Date('2026-01-31T23:00:00Z'),
      filters: {
        ...{ status: ['queued', 'failed'], name: ['a b'], redriven: ['true'] },
        label: ['{"team":"billing"}', '{"url":"http://x:1"}', '{"a":""}'],
      },
    });
  });

  it.each([
    ...[
      'limit=0',
      'limit=201',
      'limit=-1',
      'limit=1.5',
      'limit=1e2',
      'limit=',
      'limit=abc',
      'limit=%31%30x',
      'limit=１',
    ],
    ...['limit=1&limit=2', 'cursor=', 'cursor=a%20b', 'cursor=%00', 'cursor=a&cursor=b', `cursor=${'a'.repeat(513)}`],
    ...[
      'createdAfter=yesterday',
      'createdAfter=',
      'createdBefore=2026-01-01',
      'createdBefore=2026-01-01T00:00:00+01:00',
    ],
    ...[
      'status=done',
      'status=',
      'status=queued&status=Queued',
      'status=queued,failed',
      'name=',
      'name=%00',
      'name=a%0Ab',
    ],
    ...['redriven=yes', 'redriven=true&redriven=false', 'label=', 'label=team', 'label=:x', `name=${'a'.repeat(513)}`],
    ...['page=2', 'Status=queued', 'constructor=x', '__proto__=x', 'toString=', 'a%2Fb=1', '=1'],
    Array.from({ length: 101 }, (_, index) => `name=${index}`).join('&'),
  ])('refuses %.60s by its name', (query) => {
    const name = [...new URLSearchParams(query).keys()][0] ?? '';
    expect(parse(query)).toMatchObject({
      ok: false,
      faults: [{ pointer: `/query/${name.replace('/', '~1')}`, detail: expect.stringMatching(/\.$/) as string }],
    });
  });

  it('names all faults at once', () => {
    expect(parse('limit=0&status=x&page=1&name=ok')).toMatchObject({
      faults: [{ pointer: '/query/limit' }, { pointer: '/query/status' }, { pointer: '/query/page' }],
    });
  });
});
