// Every route, taken from the router itself: no token 401, too little scope 403, another tenant's thing 404.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import express from 'express';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type Scope, SCOPES } from '../../contract/access.ts';
import { AUTH_ENVIRONMENT, bearer, signToken } from '../../testing/access.ts';
import { type Api, createApi, eventually, type Json } from '../../testing/api.ts';
import { type Instance, startInstance } from '../../testing/instance.ts';
import { routesOfApp } from '../../testing/routes.ts';
import { createErrorHandler } from '../middleware/errors.ts';
import { createAuthorize } from './authorize.ts';
import { ROUTE_ACCESS } from './route-access.ts';

const OPEN = ['get /docs', 'get /healthz', 'get /metrics', 'get /openapi.json', 'get /readyz'];
/** A POST that changes nothing. */
const QUESTIONS = ['POST /workflows/validate'];
/** What names something all tenants share, or the asker's own choice of a name. */
const OF_NO_TENANT = ['GET /workers/:id', 'GET /queues/:name', 'GET /quotas/:tenant'];
const MAKES_ITS_OWN = ['PUT /schedules/:id', 'PUT /workflows/:name', 'PUT /secrets/:name'];

/** `get /v1/jobs/{id}` as `GET /jobs/:id`. */
const routes = routesOfApp()
  .filter((route) => route.includes(' /v1/'))
  .map((route) => {
    const [method = '', path = ''] = route.split(' ');
    return `${method.toUpperCase()} ${path.replace('/v1', '').replace(/\{(\w+)\}/g, ':$1')}`;
  });

const WORKFLOW = { steps: [{ id: 'wait', waitFor: { signal: 'go', timeout: '1h' } }] };
const SCHEDULE = { cron: '0 0 1 1 *', job: { http: { url: 'https://api.example.com/' } } };
const BODIES: Record<string, unknown> = {
  'POST /schedules/:id/backfill': { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' },
  'PUT /schedules/:id': SCHEDULE,
  'PUT /workflows/:name': { ...WORKFLOW, description: 'another' },
  'PUT /secrets/:name': { value: 'another' },
};

describe('the table', () => {
  test('declares every route, and no other', () => {
    expect(Object.keys(ROUTE_ACCESS).sort()).toEqual([...routes].sort());
  });

  test('names an action for whatever changes something, and for nothing else', () => {
    const changing = routes.filter((route) => !route.startsWith('GET ') && !QUESTIONS.includes(route));
    const audited = Object.keys(ROUTE_ACCESS).filter((route) => ROUTE_ACCESS[route]?.action);
    expect(audited.sort()).toEqual(changing.sort());
  });

  test('leaves open what needs no token, and that is all outside /v1', () => {
    const outside = routesOfApp().filter((route) => !route.includes(' /v1/'));
    expect(outside.sort()).toEqual(OPEN);
  });

  test('closes a route that is not in it', async () => {
    const { url, stop } = await serveUndeclared();
    const api = createApi(url);
    try {
      expect((await api.get('/v1/jobs')).text).toBe('declared');
      expect((await api.get('/v1/undeclared')).status).toBe(404);
      expect((await api.call('HEAD', '/v1/UNDECLARED/')).status).toBe(404);
    } finally {
      stop();
    }
  });
});

describe('each route', () => {
  let instance: Instance;
  let api: Api;
  beforeAll(async () => {
    instance = await startInstance({ ...AUTH_ENVIRONMENT, PERDURE_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') });
    api = createApi(instance.url);
  });
  afterAll(() => instance.stop());

  const call = (route: string, { things = {}, token, body }: { things?: Things; token?: string; body?: unknown }) => {
    const [method = '', path = ''] = route.split(' ');
    const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : bearer(token)) };
    const sent = body ?? (method === 'POST' ? {} : undefined);
    return api.call(method, `/v1${fill(path, things)}`, sent, headers);
  };

  test('is 401 without a token, whatever is in the body', async () => {
    for (const route of routes) {
      const { status, body } = await call(route, route.startsWith('GET') ? {} : { body: '{"not JSON' });
      expect([route, status, body.code]).toEqual([route, 401, 'unauthorized']);
    }
  });

  test('is 403 with a scope too little, names that scope, and reads no body first', async () => {
    const tokens = new Map<Scope, string>();
    for (const scope of SCOPES) {
      const below = SCOPES.slice(0, SCOPES.indexOf(scope)).join(' ');
      tokens.set(scope, await signToken({ scope: below || 'openid' }));
    }
    for (const route of routes) {
      const { scope = 'admin' } = ROUTE_ACCESS[route] ?? {};
      const sent = route.startsWith('GET') ? {} : { body: '{"not JSON' };
      const { status, body, headers } = await call(route, { token: tokens.get(scope) ?? '', ...sent });
      expect([route, status, body.code]).toEqual([route, 403, 'forbidden']);
      expect(body.detail).toContain(`"${scope}"`);
      expect(headers.get('www-authenticate')).toContain(`scope="${scope}"`);
    }
  });

  test('is 404 for what is of another tenant, which stays as it was; what all share is for the default tenant', async () => {
    const owner = await signToken({ tenant: 'acme' });
    const stranger = await signToken({ tenant: 'other' });
    const namesake = await signToken({ tenant: 'another' });
    const things = await makeThings(instance, api, owner);
    const shown = () => Promise.all(readable().map((route) => call(route, { things, token: owner })));
    const before = (await shown()).map(({ status, body }) => ({ status, body }));
    expect(before.map(({ status }) => status)).toEqual(before.map(() => 200));

    for (const route of routes.filter((one) => one.includes(':'))) {
      if (OF_NO_TENANT.includes(route)) continue;
      const makesItsOwn = MAKES_ITS_OWN.includes(route);
      const token = makesItsOwn ? namesake : stranger;
      const { status, body } = await call(route, { things, token, body: BODIES[route] });
      if (ROUTE_ACCESS[route]?.shared) expect([route, status, body.code]).toEqual([route, 403, 'forbidden']);
      else if (makesItsOwn) expect([route, status]).toEqual([route, 201]);
      else expect([route, status, body.code]).toEqual([route, 404, 'notFound']);
    }
    const after = (await shown()).map(({ status, body }) => ({ status, body }));
    expect(after).toEqual(before);
  });

  test('that lists shows nothing of another tenant', async () => {
    const stranger = await signToken({ tenant: 'nobody' });
    const lists = routes.filter(
      (route) => /^GET \/[\w-]+$/.test(route) && !/whoami|settings|workers|queues|events/.test(route),
    );
    expect(lists.length).toBeGreaterThanOrEqual(8);
    for (const route of lists) {
      const { status, body } = await call(route, { token: stranger });
      expect([route, status, body.items]).toEqual([route, 200, []]);
    }
  });
});

/** Routes that show one thing of a tenant. */
function readable(): string[] {
  return routes.filter((route) => route.startsWith('GET ') && route.includes(':') && !OF_NO_TENANT.includes(route));
}

/** By the first part of the path: what names a thing of the tenant that has one of each kind. */
type Things = Record<string, string>;

async function makeThings({ url }: Instance, api: Api, token: string): Promise<Things> {
  const made = async (method: string, path: string, body: unknown): Promise<Json> => {
    const answer = await api.call(method, `/v1${path}`, body, { 'content-type': 'application/json', ...bearer(token) });
    expect(answer.status, answer.text).toBeLessThan(300);
    return answer.body;
  };
  const waiting = { http: { url: 'https://api.example.com/' }, delay: '1h' };
  const failing = { http: { url: `${url}/v1/whoami` } };
  await made('PUT', '/workflows/theirs', WORKFLOW);
  await made('PUT', '/schedules/theirs', SCHEDULE);
  await made('PUT', '/secrets/theirs', { value: 'a secret value' });
  await made('POST', '/jobs', failing);
  const letter = await eventually(async () => {
    const { body } = await api.get('/v1/dead-letters', bearer(token));
    return body.items[0];
  });
  const bulk = await made('POST', '/dead-letters/redrive', { filter: { name: 'nothing has this name' } });
  await eventually(async () => {
    const { body } = await api.get(`/v1/bulk-operations/${bulk.id}`, bearer(token));
    return body.status === 'finished';
  });
  const run = await made('POST', '/workflows/theirs/runs', {});
  await eventually(async () => {
    const { body } = await api.get(`/v1/runs/${run.id}`, bearer(token));
    return body.status === 'waiting';
  });
  return {
    jobs: (await made('POST', '/jobs', waiting)).id,
    batches: (await made('POST', '/batches', { items: [waiting] })).id,
    'dead-letters': letter.id,
    'bulk-operations': bulk.id,
    schedules: 'theirs',
    workflows: 'theirs',
    secrets: 'theirs',
    runs: run.id,
    'api-keys': (await made('POST', '/api-keys', { name: 'theirs', scopes: ['read'] })).id,
  };
}

const OTHER_PARAMETERS: Record<string, string> = { version: '1', step: 'wait', signal: 'go' };

function fill(path: string, things: Things): string {
  const [, kind = ''] = path.split('/');
  return path.replace(/:(\w+)/g, (_match, name: string) => OTHER_PARAMETERS[name] ?? things[kind] ?? 'x');
}

async function serveUndeclared(): Promise<{ url: string; stop: () => void }> {
  const app = express();
  app.use((_request, response, next) => {
    response.locals.requestId = 'test';
    response.locals.principal = { subject: 'me', tenant: 'default', scopes: [...SCOPES], auth: 'none' };
    next();
  });
  app.use('/v1', createAuthorize(app));
  const router = express.Router();
  router.get('/jobs', (_request, response) => void response.send('declared'));
  router.get('/undeclared', (_request, response) => void response.send('undeclared'));
  app.use('/v1', router);
  app.use(createErrorHandler({ error: () => {}, warn: () => {} } as never));
  const server: Server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop: () => server.close() };
}
