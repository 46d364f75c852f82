// Verifies JWTs: fixed algorithms, one issuer, one audience, and every claim we rely on is there and well-formed.
import { createSecretKey } from 'node:crypto';

import {
  createRemoteJWKSet,
  customFetch,
  decodeProtectedHeader,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from 'jose';

import type { JwtSettings } from '../../auth-settings.ts';
import { DEFAULT_TENANT, type Principal, TENANT_PATTERN, withIncluded } from '../../contract/access.ts';
import type { OperatorFetch } from '../../jobs/http/operator-fetch.ts';

/** Null for whatever is wrong with the token; throws KeysUnavailableError when that cannot be told. */
export type VerifyToken = (token: string) => Promise<Principal | null>;

export class KeysUnavailableError extends Error {
  override name = 'KeysUnavailableError';
}

const SHARED_SECRET_ALGORITHMS = ['HS256'];
const PUBLIC_KEY_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const TYPES = ['at+jwt', 'jwt'];
const CLOCK_TOLERANCE_SECONDS = 5;
const MAX_SUBJECT_LENGTH = 256;

const JWKS_TIMEOUT_MS = 5_000;
const JWKS_MAX_BYTES = 256 * 1024;
/** A token with an unknown key asks for the keys again, but not more often than this. */
const JWKS_COOLDOWN_MS = 30_000;
const JWKS_RETRY_AFTER_MS = 1_000;

export interface JwtDeps {
  operatorFetch: OperatorFetch;
  jwksCooldownMs?: number;
}

export function createJwtVerifier(settings: JwtSettings, deps: JwtDeps): VerifyToken {
  const getKey =
    'secret' in settings.keys ? sharedSecret(settings.keys.secret) : remoteKeys(settings.keys.jwksUrl, deps);
  const options: JWTVerifyOptions = {
    algorithms: 'secret' in settings.keys ? SHARED_SECRET_ALGORITHMS : PUBLIC_KEY_ALGORITHMS,
    issuer: settings.issuer,
    audience: settings.audience,
    requiredClaims: ['exp', 'iat', 'sub'],
    maxTokenAge: settings.maxAgeMs / 1_000,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
  };
  return async (token) => {
    try {
      if (!isHeaderTaken(token)) return null;
      const { payload } = await jwtVerify(token, getKey, options);
      return principalOf(payload);
    } catch (error) {
      if (error instanceof KeysUnavailableError) throw error;
      // Whatever else was thrown, it was about this token: its form, its key, its signature or its claims.
      return null;
    }
  };
}

function isHeaderTaken(token: string): boolean {
  const { typ, crit } = decodeProtectedHeader(token);
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : '';
  // We know no extension, so there is none that we could honour.
  return TYPES.includes(type) && crit === undefined;
}

function principalOf({ sub, scope, scopes, tenant = DEFAULT_TENANT }: JWTPayload): Principal | null {
  const isSubject = typeof sub === 'string' && sub.length <= MAX_SUBJECT_LENGTH && /^[^\p{Cc}\p{Cs}]+$/u.test(sub);
  const isTenant = typeof tenant === 'string' && TENANT_PATTERN.test(tenant);
  const given = scopesOf(scope, scopes);
  if (!isSubject || !isTenant || !given) return null;
  return { subject: sub, tenant, scopes: withIncluded(given), auth: 'jwt' };
}

/** Scopes that are not ours are of no concern: issuers put `openid` and the like beside them. */
function scopesOf(scope: unknown = '', scopes: unknown = []): string[] | null {
  if (typeof scope !== 'string' || !Array.isArray(scopes)) return null;
  if (!scopes.every((one) => typeof one === 'string')) return null;
  return [...scope.split(' '), ...scopes];
}

function sharedSecret(secret: string): JWTVerifyGetKey {
  const key = createSecretKey(Buffer.from(secret));
  return async () => key;
}

function remoteKeys(jwksUrl: string, { operatorFetch, jwksCooldownMs = JWKS_COOLDOWN_MS }: JwtDeps): JWTVerifyGetKey {
  let failure: { error: KeysUnavailableError; untilMs: number } | null = null;

  const read = async (): Promise<Response> => {
    // While the issuer is away, every token would dial it once more.
    if (failure && performance.now() < failure.untilMs) throw failure.error;
    try {
      const { status, body } = await operatorFetch.get(jwksUrl, {
        timeoutMs: JWKS_TIMEOUT_MS,
        maxBytes: JWKS_MAX_BYTES,
      });
      if (status !== 200) throw new Error(`answered ${status}`);
      failure = null;
      return Response.json(JSON.parse(body.toString()));
    } catch (cause) {
      const error = new KeysUnavailableError('the keys of the token issuer cannot be read', { cause });
      failure = { error, untilMs: performance.now() + JWKS_RETRY_AFTER_MS };
      throw error;
    }
  };
  return createRemoteJWKSet(new URL(jwksUrl), {
    [customFetch]: read,
    cooldownDuration: jwksCooldownMs,
    timeoutDuration: JWKS_TIMEOUT_MS,
  });
}
