// Proves that every bad input to a job is refused with the pointer of its fault.

import { describe, expect, it } from 'vitest';

import { faultsOf, http, job, notify, pointersOf, retry, specOf } from './spec.test-helper.ts';

const ids = (count: number) => Array.from({ length: count }, (_, index) => `job_${index}`);
const record = (count: number) => Object.fromEntries(ids(count).map((id) => [id, 'x']));

describe('a bad job', () => {
  it.each<[unknown, string[]]>([
    ...([null, undefined, 1, 'x', [], true].map((input) => [input, ['']]) as [unknown, string[]][]),
    [{}, ['/http']],
    [{ http: {} }, ['/http/url']],
    [{ http: null }, ['/http']],
    [{ http: [] }, ['/http']],
    [job({ Name: 'x', 'a/b~c': 1 }), ['/Name', '/a~1b~0c']],
    [http({ uri: 'x', verb: 'y' }), ['/http/uri', '/http/verb']],
    [job({ task: {} }), ['/task']],
    ...['get', 'CONNECT', 'TRACE', 'FOO', '', 1, null].map((method): [unknown, string[]] => [
      http({ method }),
      ['/http/method'],
    ]),
    [http({ url: 1 }), ['/http/url']],
    [http({ url: 'ftp://example.com' }), ['/http/url']],
    [http({ query: { a: 1 } }), ['/http/query/a']],
    [http({ query: { 'a/b': null } }), ['/http/query/a~1b']],
    [http({ query: record(101) }), ['/http/query']],
    [http({ query: 'a=1' }), ['/http/query']],
    [http({ body: 1, bodyText: 'x' }), ['/http/body', '/http/bodyText']],
    [http({ body: 0, bodyText: '', bodyBase64: '' }), ['/http/body', '/http/bodyText', '/http/bodyBase64']],
    [http({ bodyText: {} }), ['/http/bodyText']],
    ...['a', 'ab=', 'AB==', 'AAB=', 'A===', 'AA=A', 'A A=', '_-8=', 'AA==\n', 1].map(
      (bodyBase64): [unknown, string[]] => [http({ bodyBase64 }), ['/http/bodyBase64']],
    ),
    ...['0s', '10m1ms', '-1s', '5', '', '1.5s', '9999d', 5, null].map((timeout): [unknown, string[]] => [
      http({ timeout }),
      ['/http/timeout'],
    ]),
    [http({ successOn: [] }), ['/http/successOn']],
    [http({ successOn: '2xx' }), ['/http/successOn']],
    [
      http({ successOn: [200, 99, 600, 200.5, '200', '6xx', '2XX', null] }),
      [1, 2, 3, 4, 5, 6, 7].map((i) => `/http/successOn/${i}`),
    ],
    [http({ successOn: ['timeout'] }), ['/http/successOn/0']],
    [http({ followRedirects: 'no' }), ['/http/followRedirects']],
  ])('%j has faults at %j', (input, pointers) => {
    expect(pointersOf(input).sort()).toEqual([...pointers].sort());
  });

  it.each([
    ...[
      'Host',
      'content-length',
      'Connection',
      'Keep-Alive',
      'Transfer-Encoding',
      'TE',
      'Trailer',
      'Upgrade',
      'Expect',
    ],
    ...[
      'Proxy-Authorization',
      'X-Forwarded-For',
      'Idempotency-Key',
      'X-Perdure-Job',
      'webhook-id',
      '',
      'a b',
      'a:b',
      'é',
    ],
  ])('sets the header %j', (name) => {
    expect(pointersOf(http({ headers: { 'X-Ok': 'y', [name]: 'x' } }))).toEqual([`/http/headers/${name}`]);
  });

  it.each([
    ['a\r\nX-B: c'],
    ['a\n'],
    ['\0'],
    ['日本'],
    [1],
    [null],
    [['a']],
    [{}],
    [{ secret: 1 }],
    [{ secret: 'a', x: 1 }],
  ])('sets a header to %j', (value) => {
    const pointers = pointersOf(http({ headers: { 'X-A/B': 'ok', 'X-A': value } }));
    expect(pointers.filter((pointer) => !pointer.startsWith('/http/headers/X-A'))).toEqual([]);
    expect(pointers).toContainEqual(expect.stringMatching(/^\/http\/headers\/X-A($|\/)/));
  });

  it.each<[object, string]>([
    ...[0, 51, -1, 1.5, '5', null].map((maxAttempts): [object, string] => [{ maxAttempts }, 'maxAttempts']),
    ...['0s', '25h', '5', 1, '-1s'].map((initialInterval): [object, string] => [
      { initialInterval },
      'initialInterval',
    ]),
    ...[0.9, 10.1, -2, '2', null].map((value): [object, string] => [
      { backoffCoefficient: value },
      'backoffCoefficient',
    ]),
    ...['0s', '8d', 'x', 60].map((maxInterval): [object, string] => [{ maxInterval }, 'maxInterval']),
    [{ initialInterval: '2s', maxInterval: '1s' }, 'maxInterval'],
    ...[-0.1, 1.1, '0', true].map((jitter): [object, string] => [{ jitter }, 'jitter']),
    ...['network', null, {}].map((retryOn): [object, string] => [{ retryOn }, 'retryOn']),
    ...['dns', 99, 600, '5XX', null].map((trigger): [object, string] => [
      { retryOn: ['network', trigger] },
      'retryOn/1',
    ]),
    [{ respectRetryAfter: 1 }, 'respectRetryAfter'],
    ...['8d', '1', -1].map((maxRetryAfter): [object, string] => [{ maxRetryAfter }, 'maxRetryAfter']),
    [{ retries: 3 }, 'retries'],
  ])('retries by %j: a fault at %s', (members, pointer) => {
    expect(pointersOf(retry(members))).toEqual([`/retry/${pointer}`]);
  });

  it.each<[object, string[]]>([
    [{ name: '' }, ['/name']],
    [{ name: 'x'.repeat(129) }, ['/name']],
    [{ name: 'a\nb' }, ['/name']],
    [{ name: 'a\u0085b' }, ['/name']],
    [{ name: 5 }, ['/name']],
    [{ delivery: 'exactlyOnce' }, ['/delivery']],
    [{ lane: 'fast' }, ['/lane']],
    ...[0, 6, 2.5, '3', null].map((priority): [object, string[]] => [{ priority }, ['/priority']]),
    [{ runAt: '2026-06-01T13:00:00Z', delay: '1s' }, ['/delay', '/runAt']],
    [{ runAt: '2026-06-01T11:58:59Z' }, ['/runAt']],
    [{ runAt: '2027-06-01T12:00:01Z' }, ['/runAt']],
    [{ runAt: 'tomorrow' }, ['/runAt']],
    [{ runAt: '2026-06-01T13:00:00' }, ['/runAt']],
    [{ runAt: 1796126400 }, ['/runAt']],
    ...['366d', '-1s', '30', 30, '', '1.5s'].map((delay): [object, string[]] => [{ delay }, ['/delay']]),
    ...['0s', '366d', '-1h', '60'].map((deadline): [object, string[]] => [{ deadline }, ['/deadline']]),
    [{ dependsOn: 'job_1' }, ['/dependsOn']],
    [
      { dependsOn: ['job_1', 'job 2', '', 3, 'job_1'] },
      ['/dependsOn/1', '/dependsOn/2', '/dependsOn/3', '/dependsOn/4'],
    ],
    [{ dependsOn: ids(1001) }, ['/dependsOn']],
    [{ onDependencyFailure: 'ignore' }, ['/onDependencyFailure']],
    [{ labels: record(21) }, ['/labels']],
    [
      { labels: { team: 1, 'a:b': 'x', ['k'.repeat(65)]: 'x', 'c\n': 'x', v: 'v'.repeat(257), w: '\0' } },
      ['/labels/a:b', '/labels/c\n', `/labels/${'k'.repeat(65)}`, '/labels/team', '/labels/v', '/labels/w'],
    ],
    [{ labels: { '': 'x' } }, ['/labels/']],
    [{ labels: [] }, ['/labels']],
  ])('%j has faults at %j', (members, pointers) => {
    expect(pointersOf(job(members)).sort()).toEqual(pointers);
  });

  it('is told all of its faults at once, below its place in the request, and never what it sent', () => {
    const input = {
      ...{ nope: 1, name: '', priority: 9, runAt: '2020-01-01T00:00:00Z', delay: '1s', dependsOn: ['a', 'a'] },
      http: {
        url: 'http://10.0.0.1/',
        method: 'x',
        body: 1,
        bodyText: 'x',
        headers: { Host: 'x', 'X-A': 'hunter2\n' },
      },
      retry: { maxAttempts: 0, initialInterval: '2m', maxInterval: '1m' },
      notify: [{ on: ['x'] }],
    };
    const faults = faultsOf(input, { basePointer: '/items/3' });
    expect(faults.map(({ pointer }) => pointer.replace('/items/3', '')).sort()).toEqual([
      ...['/delay', '/dependsOn/1', '/http/body', '/http/bodyText', '/http/headers/Host', '/http/headers/X-A'],
      ...['/http/method', '/http/url', '/name', '/nope', '/notify/0', '/notify/0/on/0', '/priority'],
      ...['/retry/maxAttempts', '/retry/maxInterval', '/runAt'],
    ]);
    expect(faults.every(({ pointer, detail }) => pointer.startsWith('/items/3/') && detail.length > 0)).toBe(true);
    expect(JSON.stringify(faults)).not.toContain('hunter2');
  });

  it('of ten megabytes is refused as fast as a small one', () => {
    const long = 'A'.repeat(10 * 1024 * 1024);
    expect(pointersOf(http({ bodyBase64: long }))).toEqual([]);
    expect(pointersOf(http({ bodyBase64: `${long.slice(1)}!` }))).toEqual(['/http/bodyBase64']);
    const fields = { name: long, delay: long, runAt: long, dependsOn: [long], labels: { a: long } };
    expect(pointersOf({ ...job(fields), http: { url: long } }).sort()).toEqual([
      '/delay',
      '/dependsOn/0',
      '/http/url',
      '/labels/a',
      '/name',
      '/runAt',
    ]);
    expect(pointersOf(notify({ email: { to: [`${long}@b.c`] } }))).toEqual(['/notify/0/email/to/0']);
  });

  it('has no times of its own inside a schedule', () => {
    expect(pointersOf(job({ runAt: '2026-06-01T13:00:00Z', delay: '1s' }), { allowTiming: false })).toEqual([
      '/runAt',
      '/delay',
    ]);
    expect(specOf(job(), { allowTiming: false })).toEqual(specOf(job()));
  });
});
