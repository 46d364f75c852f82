// The edges of HTTP: bodies that cannot be read, paths and methods that are not there, headers of every answer.
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';

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

async function refused(body: unknown, headers = {}): Promise<Answer<Json>> {
  const startedAt = performance.now();
  const answer = await api.post('/v1/jobs', body, { 'idempotency-key': 'same', ...headers });
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  expectProblem(answer);
  return answer;
}

describe('400', () => {
  it.each(['{', '', '{"a":1,}', "{'a':1}", 'NaN', '{"http":{}} x', '[1', '{"a":\u00011}', '﻿{}'])(
    'for %j',
    async (body) => {
      const { status, body: problem } = await refused(body);
      expect([status, problem.code]).toEqual([400, 'invalidJson']);
    },
  );

  it('for what is not UTF-8', async () => {
    const { status, body } = await refused(new Uint8Array([0x22, 0xff, 0x22]));
    expect([status, body.code]).toEqual([400, 'invalidJson']);
  });

  it('for a path that cannot be decoded', async () => {
    expectProblem(await api.get('/v1/jobs/%ff'));
  });
});

describe('413', () => {
  const big = (bytes: number) => JSON.stringify(http({ bodyText: 'x'.repeat(bytes) }));

  it('for a body of more than 1 MiB, also a much larger one', async () => {
    for (const bytes of [1024 * 1024, 8 * 1024 * 1024]) {
      const { status, body } = await refused(big(bytes));
      expect([status, body.code]).toEqual([413, 'tooLarge']);
    }
  });

  it('for one that does not say how long it will be', async () => {
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(`${instance.url}/v1/jobs`, { method: 'POST' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject);
      request.setHeader('content-type', 'application/json');
      for (let n = 0; n < 20; n++) request.write(Buffer.alloc(100_000, 32));
      request.end();
    });
    expect(status).toBe(413);
  });
});

describe('415', () => {
  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'x',
    'application/xml',
  ])('for %s', async (type) => {
    const { status, body } = await refused(JSON.stringify(job()), { 'content-type': type });
    expect([status, body.code]).toEqual([415, 'unsupportedMediaType']);
  });

  it('for a body that is compressed', async () => {
    expect((await refused('x', { 'content-encoding': 'gzip' })).status).toBe(415);
  });
});

describe('404 and 405', () => {
  it.each([
    ...['/', '/v1', '/v1/', '/v1/nope', '/v2/jobs', '/v1/jobs/job_nobody', '/v1/jobs/%00', '/v1/jobs/..%2f..%2fetc'],
    ...[
      '/v1/jobs/job_nobody/attempts',
      '/v1/dead-letters/dl_nobody',
      "/v1/jobs/'%20or%201=1",
      `/v1/jobs/${'x'.repeat(300)}`,
    ],
  ])('for GET %s', async (path) => {
    const answer = await api.get(path);
    expectProblem(answer);
    expect([answer.status, answer.body.code]).toEqual([404, 'notFound']);
  });

  it.each(['cancel', 'run-now', 'nope'])('for POST %s of no job', async (action) => {
    const answer = await api.post(`/v1/jobs/job_nobody/${action}`);
    expectProblem(answer);
    expect(answer.status).toBe(404);
  });

  it.each([
    ['PUT', '/v1/jobs', 'GET, HEAD, POST'],
    ['DELETE', '/v1/jobs', 'GET, HEAD, POST'],
    ['PATCH', '/v1/jobs/job_1', 'GET, HEAD'],
    ['GET', '/v1/jobs/job_1/cancel', 'POST'],
    ['POST', '/v1/dead-letters/dl_1', 'DELETE, GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['TRACE', '/v1/whoami', 'GET, HEAD'],
  ])('for %s %s, which has %s', async (method, path, allow) => {
    const { status, headers } = await raw(method, path);
    expect([status, headers.allow]).toEqual([405, allow]);
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  it('answers HEAD as GET without the body, and OPTIONS with what there is', async () => {
    const head = await api.call('HEAD', '/v1/jobs');
    expect([head.status, head.text]).toEqual([200, '']);
    const options = await api.call('OPTIONS', '/v1/jobs');
    expect([options.status, options.headers.get('allow')?.split(', ').sort()]).toEqual([200, ['GET', 'HEAD', 'POST']]);
  });

  it('reads paths with a slash at their end', async () => {
    expect((await api.get('/v1/jobs/')).status).toBe(200);
  });
});

describe('422 for what is not taken here', () => {
  it.each([
    ['POST', '/v1/jobs?dry=1', '/query/dry'],
    ['GET', '/v1/jobs/job_1?x=1', '/query/x'],
    ['GET', '/v1/jobs/job_1/attempts?limit=1', '/query/limit'],
    ['POST', '/v1/jobs/job_1/cancel?force=1', '/query/force'],
    ['GET', '/v1/whoami?x', '/query/x'],
    ['DELETE', '/v1/dead-letters/dl_1?a%2Fb=1', '/query/a~1b'],
  ])('%s %s', async (method, path, pointer) => {
    const answer = await api.call(method, path, method === 'POST' ? {} : undefined);
    expectProblem(answer);
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([422, pointer]);
  });

  it('a member in the body of an action', async () => {
    for (const action of ['jobs/job_1/cancel', 'jobs/job_1/run-now', 'bulk-operations/bulk_1/abort']) {
      const answer = await api.post(`/v1/${action}`, { reason: 'x' });
      expect([answer.status, answer.body.errors]).toMatchObject([422, [{ pointer: '/reason' }]]);
    }
  });
});

describe('every answer', () => {
  it('carries the request id that was sent, or one of ours where that is none', async () => {
    const sent = await api.get('/v1/whoami', { 'x-request-id': 'mine-1.2:3_4' });
    expect(sent.headers.get('x-request-id')).toBe('mine-1.2:3_4');
    for (const bad of ['a b', '<script>', 'x'.repeat(129)]) {
      const answer = await api.get('/v1/whoami', { 'x-request-id': bad });
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('promises no TLS over plain HTTP, names no server, and is not to be cached', async () => {
    for (const path of ['/v1/whoami', '/v1/nope', '/healthz']) {
      const { headers } = await api.get(path);
      expect(headers.get('strict-transport-security')).toBeNull();
      expect(headers.get('content-security-policy')).not.toContain('upgrade-insecure-requests');
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  it('lets no other site read it, and runs nothing where a browser opens it', async () => {
    const origin = { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' };
    for (const [method, path] of [
      ['GET', '/v1/whoami'],
      ['OPTIONS', '/v1/jobs'],
      ['GET', '/docs'],
      ['GET', '/v1/nope'],
    ] as const) {
      const { headers } = await api.call(method, path, undefined, origin);
      expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers.get('set-cookie')).toBeNull();
    }
    expect((await api.get('/v1/whoami')).headers.get('content-security-policy')).not.toContain('self');
  });

  it('says who asks, without configuration', async () => {
    expect((await api.get('/v1/whoami')).body).toEqual({
      ...{ subject: 'anonymous', tenant: 'default', auth: 'none' },
      scopes: ['read', 'submit', 'operate', 'admin'],
    });
  });

  it('is one, for bytes that are no HTTP', async () => {
    for (const text of [
      'GARBAGE\r\n\r\n',
      'FOO /v1/jobs HTTP/1.1\r\nHost: a\r\n\r\n',
      `GET / HTTP/1.1\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
    ]) {
      expect(await talk(text)).toMatch(/^HTTP\/1\.1 4\d\d /);
    }
  });
});

function raw(method: string, path: string): Promise<{ status: number; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${instance.url}${path}`, { method }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    });
    request.on('error', reject).end();
  });
}

function talk(text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(instance.url).port), '127.0.0.1', () => socket.write(text));
    let heard = '';
    socket.on('data', (chunk) => (heard += chunk.toString()));
    // A reset after the answer is as good as an end.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(heard));
  });
}
