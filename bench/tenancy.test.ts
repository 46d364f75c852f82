// What row-level security costs: CPU of the API and PostgreSQL per request, with the wall and without.
import { SignJWT } from 'jose';
import { expect, inject, it } from 'vitest';

import { createApp } from '../src/api/app.ts';
import { listen } from '../src/api/server.ts';
import { parseConfig } from '../src/config.ts';
import { createServices } from '../src/services.ts';
import { createLog } from '../src/telemetry/log.ts';
import { type Api, createApi } from '../src/testing/api.ts';
import { createTestDatabase } from '../src/testing/database.ts';
import { cpuOfStackMs } from './cpu.ts';

const SECRET = 'the-bench-of-tenancy-uses-a-secret-of-48-bytes-x';
const REQUESTS = 150;
const ROUNDS = 4;
const LANES = 8;

it('a request behind the wall costs little more than one without it', async () => {
  const database = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
  const config = parseConfig({
    ...{ PORT: '0', DATABASE_URL: database.databaseUrl, TEMPORAL_ADDRESS: inject('temporalAddress') },
    ...{ PERDURE_AUTH: 'jwt', PERDURE_JWT_SECRET: SECRET, PERDURE_JWT_ISSUER: 'i', PERDURE_JWT_AUDIENCE: 'a' },
    ...{ PERDURE_EGRESS: 'any', LOG_LEVEL: 'error' },
  });
  const addresses = { databaseUrl: database.databaseUrl, temporalAddress: config.temporalAddress, temporalUiUrl: null };
  const services = await createServices(config, addresses, createLog('error'), { withWorker: false });
  const open = { ...services, db: { ...services.db, asTenant: <T>(_tenant: string, work: () => T) => work() } };
  const [without, behind] = await Promise.all(
    [open, services].map((deps) => listen(createApp({ ...deps, isDraining: () => false }), config)),
  );
  if (!without || !behind) throw new Error('no servers');
  const tokens = await Promise.all(['red', 'blue'].map(tokenOf));
  const figures: Record<string, number> = {};
  // Once used, an AsyncLocalStorage costs everything in the process a little: so those without it come first.
  for (const [name, { port }, used] of [
    ['without', without, tokens.slice(0, 1)],
    ['behind', behind, tokens.slice(0, 1)],
    ['inTurns', behind, tokens],
  ] as const) {
    const api = createApi(`http://127.0.0.1:${port}`);
    const parents = await Promise.all(used.map((token) => parentOf(api, token)));
    const post = (n: number) => postBlocked(api, used[n % used.length] ?? '', parents[n % used.length] ?? '');
    const list = (n: number) => api.get('/v1/jobs?status=blocked', bearer(used[n % used.length] ?? ''));
    figures[`${name} POST`] = await cpuPerRequest(post);
    figures[`${name} GET list`] = await cpuPerRequest(list);
  }
  console.log('ms of CPU per request:', figures);
  await Promise.all([without.stop(100), behind.stop(100)]);
  await services.close();
  await database.drop();
  expect(figures['behind POST']).toBeLessThan(2 * (figures['without POST'] ?? 0));
}, 180_000);

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

function tokenOf(tenant: string): Promise<string> {
  const claims = new SignJWT({ tenant, scope: 'admin' }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' });
  const complete = claims.setSubject('bench').setIssuer('i').setAudience('a').setIssuedAt().setExpirationTime('10m');
  return complete.sign(new TextEncoder().encode(SECRET));
}

async function parentOf(api: Api, token: string): Promise<string> {
  const { body } = await api.post('/v1/jobs', { http: { url: 'http://127.0.0.1:65000/' }, delay: '1d' }, bearer(token));
  return body.id;
}

/** Waits for another job, so that nothing else happens to it. */
async function postBlocked(api: Api, token: string, parent: string): Promise<void> {
  const job = { http: { url: 'http://127.0.0.1:65000/' }, dependsOn: [parent] };
  const { status, text } = await api.post('/v1/jobs', job, bearer(token));
  if (status !== 201) throw new Error(text);
}

/** The best round: others use the machine too. */
async function cpuPerRequest(request: (n: number) => Promise<unknown>): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const before = cpuOfStackMs();
    let next = 0;
    const lane = async () => {
      for (let n = next++; n < REQUESTS; n = next++) await request(n);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    const spentMs = (cpuOfStackMs() - before) / REQUESTS;
    // The first one warms up; and a server process that ends in the middle takes what it has spent with it.
    if (round > 0 && spentMs > 0) rounds.push(spentMs);
  }
  return Math.round(Math.min(...rounds) * 1_000) / 1_000;
}
