// What the environment says about who may ask: checked at start, so that a weak or half configuration never listens.
import { z } from 'zod';

import { parseDurationMs } from './contract/duration.ts';
import { valueOrFile, VariableError } from './file-variable.ts';

const filled = z.string().min(1);

export const AUTH_VARIABLES = {
  PERDURE_AUTH: z.enum(['jwt', 'apikey', 'jwt,apikey', 'apikey,jwt']).optional(),
  PERDURE_JWT_SECRET: filled.optional(),
  PERDURE_JWT_SECRET_FILE: filled.optional(),
  PERDURE_JWT_JWKS_URL: z.url({ protocol: /^https?$/ }).optional(),
  PERDURE_JWT_ISSUER: filled.optional(),
  PERDURE_JWT_AUDIENCE: filled.optional(),
  PERDURE_JWT_MAX_AGE: filled.default('1h'),
  PERDURE_BOOTSTRAP_KEY: filled.optional(),
  PERDURE_BOOTSTRAP_KEY_FILE: filled.optional(),
  PERDURE_TRUST_PROXY: z.coerce.number().int().min(0).max(10).default(0),
};

type AuthVariables = z.output<z.ZodObject<typeof AUTH_VARIABLES>>;

export interface JwtSettings {
  keys: { secret: string } | { jwksUrl: string };
  issuer: string;
  audience: string;
  maxAgeMs: number;
}

export interface AuthSettings {
  jwt: JwtSettings | null;
  apiKeys: { bootstrapKey: string | null } | null;
}

const MIN_SECRET_BYTES = 32;
/** It signs nothing and is only compared: as many guesses as it takes, each counted as a failed token. */
const MIN_BOOTSTRAP_BYTES = 20;

/** Null is no authentication. Throws a VariableError. */
export function authSettings(env: AuthVariables): AuthSettings | null {
  const kinds = env.PERDURE_AUTH?.split(',') ?? [];
  refuseUnused(env, 'jwt', kinds, ['PERDURE_JWT_SECRET', 'PERDURE_JWT_SECRET_FILE', 'PERDURE_JWT_JWKS_URL']);
  refuseUnused(env, 'apikey', kinds, ['PERDURE_BOOTSTRAP_KEY', 'PERDURE_BOOTSTRAP_KEY_FILE']);
  if (kinds.length === 0) return null;
  return {
    jwt: kinds.includes('jwt') ? jwtSettings(env) : null,
    apiKeys: kinds.includes('apikey') ? { bootstrapKey: bootstrapKey(env) } : null,
  };
}

/** A key that protects nothing is a misunderstanding that must not go unnoticed. */
function refuseUnused(env: AuthVariables, kind: string, kinds: string[], names: (keyof AuthVariables)[]): void {
  const given = names.find((name) => env[name] !== undefined);
  if (given && !kinds.includes(kind)) {
    throw new VariableError(`PERDURE_AUTH: ${given} is set, so it must name "${kind}"`);
  }
}

function jwtSettings(env: AuthVariables): JwtSettings {
  const issuer = required(env, 'PERDURE_JWT_ISSUER');
  const audience = required(env, 'PERDURE_JWT_AUDIENCE');
  const maxAgeMs = parseDurationMs(env.PERDURE_JWT_MAX_AGE) ?? 0;
  if (maxAgeMs < 1_000) throw new VariableError('PERDURE_JWT_MAX_AGE: must be a duration of at least 1s such as "1h"');
  return { keys: jwtKeys(env), issuer, audience, maxAgeMs };
}

function jwtKeys(env: AuthVariables): JwtSettings['keys'] {
  const secret = valueOrFile(env, 'PERDURE_JWT_SECRET');
  const jwksUrl = env.PERDURE_JWT_JWKS_URL;
  if (secret !== null && jwksUrl !== undefined) {
    // A public key must never be taken for a shared secret: with one kind of key there is nothing to confuse.
    throw new VariableError('PERDURE_JWT_JWKS_URL: give it or PERDURE_JWT_SECRET, not both');
  }
  if (secret !== null) return { secret: longEnough('PERDURE_JWT_SECRET', secret) };
  if (jwksUrl === undefined) {
    throw new VariableError('PERDURE_JWT_SECRET: it or PERDURE_JWT_JWKS_URL is needed with PERDURE_AUTH=jwt');
  }
  const { protocol, hostname } = new URL(jwksUrl);
  if (protocol === 'http:' && !['127.0.0.1', '[::1]', 'localhost'].includes(hostname)) {
    throw new VariableError('PERDURE_JWT_JWKS_URL: must be https, or whoever is on the way chooses the keys');
  }
  return { jwksUrl };
}

function bootstrapKey(env: AuthVariables): string | null {
  const key = valueOrFile(env, 'PERDURE_BOOTSTRAP_KEY');
  if (key === null) return null;
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new VariableError('PERDURE_BOOTSTRAP_KEY: must be visible ASCII without spaces');
  }
  return longEnough('PERDURE_BOOTSTRAP_KEY', key, MIN_BOOTSTRAP_BYTES);
}

function longEnough(name: string, secret: string, least = MIN_SECRET_BYTES): string {
  if (Buffer.byteLength(secret) >= least) return secret;
  throw new VariableError(`${name}: must be at least ${least} random bytes; make one: openssl rand -hex 32`);
}

function required(env: AuthVariables, name: 'PERDURE_JWT_ISSUER' | 'PERDURE_JWT_AUDIENCE'): string {
  const value = env[name];
  if (value === undefined) throw new VariableError(`${name}: is needed with PERDURE_AUTH=jwt`);
  return value;
}
