// Finds out who asks. Whatever is wrong with a token, the answer is the same, so that it teaches nothing.
import type { Request, RequestHandler } from 'express';

import type { AuthSettings } from '../../auth-settings.ts';
import { DEFAULT_TENANT, type Principal, SCOPES } from '../../contract/access.ts';
import type { Database } from '../../db/pool.ts';
import type { OperatorFetch } from '../../jobs/http/operator-fetch.ts';
import type { Logger } from '../../telemetry/log.ts';
import { ApiError } from '../problem.ts';
import { createApiKeyVerifier, KEY_START } from './api-keys.ts';
import { createFailedTokens } from './failed-tokens.ts';
import { isForeignPage } from './foreign-page.ts';
import { createJwtVerifier, KeysUnavailableError, type VerifyToken } from './jwt.ts';

export interface AuthenticateDeps {
  /** Null: loopback only, and everyone may do everything. */
  auth: AuthSettings | null;
  trustProxyHops: number;
  db: Database;
  operatorFetch: OperatorFetch;
  log: Logger;
}

const EVERYONE: Principal = { subject: 'anonymous', tenant: DEFAULT_TENANT, scopes: [...SCOPES], auth: 'none' };
const MAX_TOKEN_LENGTH = 8 * 1024;

export function createAuthenticate(deps: AuthenticateDeps): RequestHandler {
  const verify = createVerify(deps);
  const failedTokens = createFailedTokens();

  return async (request, response, next) => {
    if (!verify && isForeignPage(request, { behindProxy: deps.trustProxyHops > 0 })) throw foreignPage();
    const principal = verify ? await identify(request, verify) : EVERYONE;
    if (!principal) {
      // No token is a question, a wrong one is a try.
      const waitMs = request.get('authorization') ? failedTokens.add(request.ip ?? '') : null;
      throw waitMs === null ? unauthorized() : tooManyFailures(waitMs);
    }
    response.locals.principal = principal;
    response.locals.tenant = principal.tenant;
    next();
  };
}

function createVerify({ auth, db, operatorFetch, log }: AuthenticateDeps): VerifyToken | null {
  if (!auth) return null;
  const { jwt, apiKeys } = auth;
  const verifyKey = apiKeys && createApiKeyVerifier({ db, log, bootstrapKey: apiKeys.bootstrapKey });
  const verifyJwt = jwt && createJwtVerifier(jwt, { operatorFetch });
  return async (token) => {
    const byKey = verifyKey ? await verifyKey(token) : null;
    if (byKey || !verifyJwt || token.startsWith(KEY_START)) return byKey;
    return verifyJwt(token);
  };
}

async function identify(request: Request, verify: VerifyToken): Promise<Principal | null> {
  const [, token] = /^Bearer +([\x21-\x7e]+) *$/i.exec(request.get('authorization') ?? '') ?? [];
  if (!token || token.length > MAX_TOKEN_LENGTH) return null;
  try {
    return await verify(token);
  } catch (error) {
    if (!(error instanceof KeysUnavailableError)) throw error;
    const detail = 'The keys of the token issuer cannot be read at the moment.';
    throw new ApiError('storeUnavailable', { detail, headers: { 'Retry-After': '2' } });
  }
}

function foreignPage(): ApiError {
  const detail = 'Without PERDURE_AUTH only this machine is served: no page of another site, and no other host name.';
  return new ApiError('forbidden', { detail });
}

function unauthorized(): ApiError {
  const detail = 'Send "Authorization: Bearer <token>" with a valid API key or JWT.';
  return new ApiError('unauthorized', { detail, headers: { 'WWW-Authenticate': 'Bearer' } });
}

function tooManyFailures(waitMs: number): ApiError {
  const detail = 'Too many tokens from this address were not valid.';
  return new ApiError('tooManyRequests', { detail, headers: { 'Retry-After': String(Math.ceil(waitMs / 1_000)) } });
}
