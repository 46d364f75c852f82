// Whatever is sent: a 4xx that says where it is wrong, soon, and nothing is kept.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Answer, type Api, createApi, type Json } from '../testing/api.ts';
import { type Instance, startInstance } from '../testing/instance.ts';
import { expectProblem } from '../testing/problem.ts';

let instance: Instance;
let api: Api;

beforeAll(async () => {
  instance = await startInstance({ PERDURE_EGRESS: 'public' });
  api = createApi(instance.url);
});
afterAll(async () => {
  // Nothing that was refused in this file has left a trace.
  for (const table of ['jobs', 'idempotency_keys', 'dead_letters', 'bulk_operations']) {
    expect([table, await instance.services.db.query(`select * from ${table}`)]).toEqual([table, []]);
  }
  await instance.stop();
});

const URL_OK = 'https://example.com/';
const job = (more: object = {}) => ({ http: { url: URL_OK }, ...more });
const http = (more: object) => ({ http: { url: URL_OK, ...more } });
const nested = (depth: number) => `{"http":{"url":"${URL_OK}","body":${'['.repeat(depth)}${']'.repeat(depth)}}}`;

async function refused(body: unknown, headers = {}): Promise<Answer<Json>> {
  const startedAt = performance.now();
  const answer = await api.post('/v1/jobs', body, { 'idempotency-key': 'same', ...headers });
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  expectProblem(answer);
  return answer;
}

describe('422 with a pointer', () => {
  const cases: [unknown, string][] = [
    ...[null, 1, 'x', [], true].map((body): [unknown, string] => [JSON.stringify(body), '']),
    [{}, '/http'],
    [http({ url: 1 }), '/http/url'],
    [{ http: {} }, '/http/url'],
    [job({ nope: 1 }), '/nope'],
    [http({ 'a/b~': 1 }), '/http/a~1b~0'],
    [job({ constructor: 1 }), '/constructor'],
    ...['get', 'TRACE', 'CONNECT', '', null].map((method): [unknown, string] => [http({ method }), '/http/method']),
    ...['Host', 'content-length', 'Connection', 'TE', 'Upgrade', 'Expect', 'Proxy-Authorization', 'X-Forwarded-For']
      .concat('Idempotency-Key', 'x-perdure-job', 'Webhook-Id', 'Transfer-Encoding', 'Keep-Alive', 'Trailer', 'a b')
      .map((name): [unknown, string] => [http({ headers: { [name]: 'x' } }), `/http/headers/${name}`]),
    ...['a\r\nX-B: c', 'a\nb', '日本'].map((value): [unknown, string] => [
      http({ headers: { 'X-A': value } }),
      '/http/headers/X-A',
    ]),
    [http({ headers: { 'X-A': 1 } }), '/http/headers/X-A'],
    [http({ headers: { 'X-A': 'x'.repeat(9_000) } }), '/http/headers'],
    [http({ headers: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`X-${n}`, 'x'])) }), '/http/headers'],
    [http({ body: 1, bodyText: 'x' }), '/http/body'],
    [http({ bodyBase64: 'a' }), '/http/bodyBase64'],
    ...['-1s', '30', '', '1.5s', '11m', '9999999d', 30, null, 'P1Y'].map((timeout): [unknown, string] => [
      http({ timeout }),
      '/http/timeout',
    ]),
    ...['-1s', '366d', '30', 30].map((delay): [unknown, string] => [job({ delay }), '/delay']),
    ...['0s', '366d', 60].map((deadline): [unknown, string] => [job({ deadline }), '/deadline']),
    ...['tomorrow', '2026-06-01', '2020-01-01T00:00:00Z', '2099-01-01T00:00:00Z', 1].map((runAt): [unknown, string] => [
      job({ runAt }),
      '/runAt',
    ]),
    [job({ runAt: new Date().toISOString(), delay: '1s' }), '/runAt'],
    ...[0, 51, 1.5, '3', -1].map((maxAttempts): [unknown, string] => [
      job({ retry: { maxAttempts } }),
      '/retry/maxAttempts',
    ]),
    [job({ retry: { backoffCoefficient: 0 } }), '/retry/backoffCoefficient'],
    [job({ retry: { jitter: 2 } }), '/retry/jitter'],
    [job({ retry: { retryOn: ['6xx'] } }), '/retry/retryOn/0'],
    [job({ retry: { maxInterval: '100d' } }), '/retry/maxInterval'],
    [job({ priority: 0 }), '/priority'],
    [job({ priority: 6 }), '/priority'],
    [job({ delivery: 'exactlyOnce' }), '/delivery'],
    [job({ lane: 'fast' }), '/lane'],
    [job({ name: '' }), '/name'],
    [job({ name: 'x'.repeat(129) }), '/name'],
    [job({ name: 'a\u0007' }), '/name'],
    [job({ labels: { a: 1 } }), '/labels/a'],
    [job({ labels: { ['k'.repeat(65)]: '' } }), `/labels/${'k'.repeat(65)}`],
    [job({ labels: { a: 'v'.repeat(257) } }), '/labels/a'],
    [job({ labels: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`l${n}`, ''])) }), '/labels'],
    [job({ dependsOn: ['a b'] }), '/dependsOn/0'],
    [job({ dependsOn: ['job_00000000000000000000000000000000'] }), '/dependsOn/0'],
    [job({ notify: [{ on: ['done'], webhook: { url: URL_OK } }] }), '/notify/0/on/0'],
    [job({ notify: [{ on: ['failed'], webhook: { url: 'http://10.0.0.1/' } }] }), '/notify/0/webhook/url'],
    [job({ notify: [{ on: ['failed'], webhook: { url: URL_OK, secret: 'x' } }] }), '/notify/0/webhook/secret'],
    [job({ notify: [{ on: ['failed'], email: { to: ['a@b\r\nBcc: c@d'] } }] }), '/notify/0/email/to/0'],
    [`{"http":{"url":"${URL_OK}","body":"\\u0000"}}`, '/http/body'],
    [`{"http":{"url":"${URL_OK}","body":"\\ud800"}}`, '/http/body'],
    [`{"http":{"url":"${URL_OK}","body":1e400}}`, '/http/body'],
    [`{"http":{"url":"${URL_OK}","body":9007199254740993}}`, '/http/body'],
    [`{"http":{"url":"${URL_OK}"},"name":"a","name":"b"}`, '/name'],
    [`{"http":{"url":"${URL_OK}"},"__proto__":{"a":1}}`, '/__proto__'],
  ];
  it.each(cases)('for %j at %s', async (body, pointer) => {
    const { status, body: problem } = await refused(body);
    expect(status).toBe(422);
    expect(problem.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  });

  it('for JSON nested too deep, or with too many keys', async () => {
    expect((await refused(nested(31))).body.code).toBe('jsonTooDeep');
    const members = Array.from({ length: 10_001 }, (_, n) => `"k${n}":0`).join(',');
    expect((await refused(`{"http":{"url":"${URL_OK}","body":{${members}}}}`)).body.code).toBe('jsonTooManyKeys');
    expect((await refused(nested(200_000))).status).toBe(422);
  });

  it('names all faults of a request at once, and never repeats what was sent', async () => {
    const { text, body } = await refused({
      http: { url: 'ftp://hunter2', headers: { Host: 'hunter2' } },
      priority: 'hunter2',
    });
    expect(body.errors.map(({ pointer }: Json) => pointer).sort()).toEqual([
      '/http/headers/Host',
      '/http/url',
      '/priority',
    ]);
    expect(text).not.toContain('hunter2');
  });
});

describe('422 for a target', () => {
  const spellings = `127.0.0.1 127.1 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 127.0.0.1. 0 0.0.0.0 [::] [::1]
    [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] localhost LOCALHOST localhost. a.localhost
    10.0.0.1 10.1 172.16.0.1 172.31.255.255 192.168.0.1 192.168.257 100.64.0.1 169.254.169.254 2852039166
    0xa9fea9fe 169.254.43518 [::ffff:169.254.169.254] [fe80::1] [fc00::1] [fd00:ec2::254] [fec0::1] 224.0.0.1
    255.255.255.255 198.18.0.1 192.0.2.1 203.0.113.1 240.0.0.1 [64:ff9b::7f00:1] [2002:7f00:1::] [2001:db8::1] [ff02::1]
    metadata.google.internal metadata １２７.0.0.1 127。0。0。1 ⑫7.0.0.1 %31%32%37.0.0.1 0300.0250.0.1 192.0.0.170`;
  it.each(spellings.split(/\s+/))('at %s', async (host) => {
    const { status, body } = await refused(http({ url: `http://${host}/` }));
    expect([status, body.code, body.detail]).toEqual([422, 'targetNotAllowed', 'The target is not allowed.']);
    expect(body.errors).toEqual([{ pointer: '/http/url', detail: 'The target is not allowed.' }]);
  });

  const noUrls = `ftp://a.example file:///etc/passwd javascript:alert(1) data:,x gopher://a.example //a.example /path a.example
    http:// https:// http://a.example:22/ http://a.example:0/ http://a.example:65536/ http://u:p@a.example/ http://u@a.example/
    http://[::1 http://a..example:99999/ ws://a.example unix:/x http://a%00.example/`;
  it.each([
    ...noUrls.split(/\s+/),
    '',
    ' ',
    'http://a.example/\n',
    'http://a b/',
    `http://a.example/${'x'.repeat(9_000)}`,
  ])('that is no URL: %j', async (url) => {
    const { status, body } = await refused(http({ url }));
    expect([status, body.errors[0].pointer]).toEqual([422, '/http/url']);
  });
});
