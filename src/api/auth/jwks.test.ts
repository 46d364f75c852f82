// Public keys from the issuer: read when needed, rotated without a restart, and never taken for anything else.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { exportJWK, exportSPKI, generateKeyPair, type GenerateKeyPairResult, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { createOperatorFetch } from '../../jobs/http/operator-fetch.ts';
import { type AccessApi, AUDIENCE, bearer, ISSUER, startAccessApi } from '../../testing/access.ts';
import { createApi } from '../../testing/api.ts';
import { createJwtVerifier, KeysUnavailableError } from './jwt.ts';

const operatorFetch = createOperatorFetch();
let issuer: Server;
let jwksUrl: string;
let served: { status: number; body: string; headers?: Record<string, string> };
let asked = 0;
beforeAll(async () => {
  issuer = createServer((_request, response) => {
    asked += 1;
    response.writeHead(served.status, served.headers).end(served.body);
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  jwksUrl = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks.json`;
});
beforeEach(() => {
  asked = 0;
});
afterAll(async () => {
  await operatorFetch.close();
  issuer.close();
});

interface Key extends GenerateKeyPairResult {
  alg: string;
  kid: string;
}

async function newKey(alg: string, kid: string): Promise<Key> {
  return { ...(await generateKeyPair(alg, { extractable: true })), alg, kid };
}

async function serve(...keys: Key[]): Promise<void> {
  const jwks = await Promise.all(
    keys.map(async ({ publicKey, alg, kid }) => ({ ...(await exportJWK(publicKey)), alg, kid })),
  );
  served = { status: 200, body: JSON.stringify({ keys: jwks }) };
}

function tokenOf({ privateKey, alg, kid }: Key): Promise<string> {
  return new SignJWT({ scope: 'read' })
    .setProtectedHeader({ alg, kid, typ: 'at+jwt' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject('me')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey);
}

function verifier(jwksCooldownMs?: number) {
  const settings = { keys: { jwksUrl }, issuer: ISSUER, audience: AUDIENCE, maxAgeMs: 3_600_000 };
  return createJwtVerifier(settings, { operatorFetch, ...(jwksCooldownMs === undefined ? {} : { jwksCooldownMs }) });
}

test.each(['RS256', 'PS256', 'ES256', 'EdDSA'])(
  'a token signed with %s is taken, and the keys are read once',
  async (alg) => {
    const key = await newKey(alg, alg);
    await serve(key);
    const verify = verifier();
    const token = await tokenOf(key);
    expect(await Promise.all([verify(token), verify(token)])).toEqual(
      Array(2).fill(expect.objectContaining({ subject: 'me' })),
    );
    expect(await verify(token)).not.toBeNull();
    expect(asked).toBe(1);
  },
);

test('a public key is never a shared secret', async () => {
  const key = await newKey('RS256', 'one');
  await serve(key);
  const pem = await exportSPKI(key.publicKey);
  const forged = new SignJWT({ scope: 'admin' })
    .setProtectedHeader({ alg: 'HS256', kid: 'one', typ: 'JWT' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject('me')
    .setIssuedAt()
    .setExpirationTime('5m');
  const verify = verifier();
  for (const secret of [pem, pem.trim(), JSON.stringify(await exportJWK(key.publicKey))]) {
    expect(await verify(await forged.sign(Buffer.from(secret)))).toBeNull();
  }
});

test('a secret among the keys of an issuer signs nothing', async () => {
  const secret = Buffer.alloc(32, 7);
  served = {
    status: 200,
    body: JSON.stringify({ keys: [{ kty: 'oct', kid: 'one', k: secret.toString('base64url') }] }),
  };
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: 'HS256', kid: 'one', typ: 'JWT' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject('me')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(secret);
  expect(await verifier()(token)).toBeNull();
});

describe('rotation', () => {
  test('a new key is found, and a withdrawn one is refused from then on', async () => {
    const [before, after] = [await newKey('ES256', 'before'), await newKey('ES256', 'after')];
    await serve(before);
    const verify = verifier(0);
    expect(await verify(await tokenOf(before))).not.toBeNull();
    await serve(after);
    expect(await verify(await tokenOf(after))).not.toBeNull();
    expect(await verify(await tokenOf(before))).toBeNull();
  });

  test('tokens with unknown keys do not make us ask again and again', async () => {
    await serve(await newKey('ES256', 'known'));
    const stranger = await newKey('ES256', 'stranger');
    const verify = verifier();
    for (let turn = 0; turn < 20; turn += 1) expect(await verify(await tokenOf(stranger))).toBeNull();
    expect(asked).toBe(1);
  });
});

describe('an issuer that does not answer with keys', () => {
  test.each<[string, typeof served]>([
    ['is broken', { status: 500, body: '' }],
    ['sends us elsewhere', { status: 302, body: '', headers: { location: 'http://127.0.0.1:9/jwks.json' } }],
    ['answers no JSON', { status: 200, body: '<html>' }],
    ['answers without end', { status: 200, body: 'x'.repeat(300 * 1024) }],
  ])('%s: nobody can tell whether the token is good, and it is asked once a second at most', async (_name, answer) => {
    served = answer;
    const token = await tokenOf(await newKey('ES256', 'one'));
    const verify = verifier();
    for (let turn = 0; turn < 5; turn += 1) await expect(verify(token)).rejects.toThrow(KeysUnavailableError);
    expect(asked).toBe(1);
  });

  test('is a 503, not the fault of the token; tokens that cannot be good are refused all the same', async () => {
    served = { status: 500, body: '' };
    const access: AccessApi = await startAccessApi({
      PERDURE_AUTH: 'jwt',
      PERDURE_JWT_JWKS_URL: jwksUrl,
      PERDURE_JWT_ISSUER: ISSUER,
      PERDURE_JWT_AUDIENCE: AUDIENCE,
    });
    try {
      const api = createApi(access.url);
      const key = await newKey('ES256', 'one');
      const away = await api.get('/v1/whoami', bearer(await tokenOf(key)));
      expect([away.status, away.body.code, away.headers.get('retry-after')]).toEqual([503, 'storeUnavailable', '2']);
      expect((await api.get('/v1/whoami', bearer('x.y.z'))).status).toBe(401);
    } finally {
      await access.stop();
    }
  });
});
