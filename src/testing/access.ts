// The API on a database of its own, with authentication and without Temporal: for what is decided before any route.
import { SignJWT } from 'jose';
import { inject } from 'vitest';

import { createApp } from '../api/app.ts';
import { listen } from '../api/server.ts';
import { parseConfig } from '../config.ts';
import { createDatabase, type Database } from '../db/pool.ts';
import { createOperatorFetch } from '../jobs/http/operator-fetch.ts';
import { createQuotas } from '../jobs/quotas.ts';
import { createLog } from '../telemetry/log.ts';
import { createTestDatabase } from './database.ts';
import { anything } from './routes.ts';

export const SECRET = 'a secret of the tests, 32 bytes or more';
export const ISSUER = 'https://issuer.test/';
export const AUDIENCE = 'perdure-test';

/** What makes an instance take the tokens of `signToken`, and API keys. */
export const AUTH_ENVIRONMENT = {
  PERDURE_AUTH: 'jwt,apikey',
  PERDURE_JWT_SECRET: SECRET,
  PERDURE_JWT_ISSUER: ISSUER,
  PERDURE_JWT_AUDIENCE: AUDIENCE,
};

export interface AccessApi {
  url: string;
  databaseUrl: string;
  db: Database;
  /** Another process of the same service. */
  again(): Promise<{ url: string }>;
  stop(): Promise<void>;
}

export async function startAccessApi(environment: Record<string, string> = AUTH_ENVIRONMENT): Promise<AccessApi> {
  const { databaseUrl, drop } = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
  const closers: (() => Promise<void>)[] = [];
  const open = async () => {
    const { auth, trustProxyHops, host, quota } = parseConfig(environment);
    const db = createDatabase({ databaseUrl });
    const operatorFetch = createOperatorFetch();
    const log = createLog('silent');
    const quotas = createQuotas({ db, defaults: quota, log });
    const deps = { db, quotas, log, auth, trustProxyHops, operatorFetch, isDraining: () => false };
    const server = await listen(createApp(anything(deps)), { host, port: 0 });
    closers.push(async () => {
      await server.stop(1_000);
      await operatorFetch.close();
      await db.close();
    });
    return { db, url: `http://127.0.0.1:${server.port}` };
  };
  const { db, url } = await open();
  return {
    ...{ url, databaseUrl, db },
    again: open,
    async stop() {
      for (const close of closers) await close();
      await drop();
    },
  };
}

/** A good token, but for what is said otherwise. */
export function signToken(claims: Record<string, unknown> = {}, secret = SECRET): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const usual = { iss: ISSUER, aud: AUDIENCE, sub: 'tester', iat: now, exp: now + 300, scope: 'admin' };
  return new SignJWT({ ...usual, ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(Buffer.from(secret));
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}
