// Whatever is wrong with a token, the answer is one and the same 401.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

import { EncryptJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  type AccessApi,
  AUDIENCE,
  AUTH_ENVIRONMENT,
  bearer,
  ISSUER,
  SECRET,
  startAccessApi,
} from '../../testing/access.ts';
import { createApi } from '../../testing/api.ts';

let access: AccessApi;
let api: ReturnType<typeof createApi>;
beforeAll(async () => {
  // Each token comes from an address of its own: how many an address may try is another test's matter.
  access = await startAccessApi({ ...AUTH_ENVIRONMENT, PERDURE_TRUST_PROXY: '1' });
  api = createApi(access.url);
});
afterAll(() => access.stop());

const now = () => Math.floor(Date.now() / 1_000);
const GOOD_HEADER = { alg: 'HS256', typ: 'JWT' };
const goodClaims = () => ({ iss: ISSUER, aud: AUDIENCE, sub: 'me', iat: now(), exp: now() + 300, scope: 'admin' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();

function base64url(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

function hs(header: object, claims: unknown, secret = SECRET, hash = 'sha256'): string {
  const content = `${base64url(header)}.${base64url(claims)}`;
  return `${content}.${createHmac(hash, secret).update(content).digest('base64url')}`;
}

const withClaims = (claims: object) => () => hs(GOOD_HEADER, { ...goodClaims(), ...claims });
/** Seconds from the moment at which the token is made. */
const withTimes = (times: Record<string, number>) => () => {
  const moments = Object.entries(times).map(([claim, seconds]) => [claim, now() + seconds]);
  return hs(GOOD_HEADER, { ...goodClaims(), ...Object.fromEntries(moments) });
};
const withHeader = (header: object) => () => hs({ ...GOOD_HEADER, ...header }, goodClaims());
const without = (claim: string) => () => {
  const { [claim]: _gone, ...claims } = goodClaims() as Record<string, unknown>;
  return hs(GOOD_HEADER, claims);
};
const unsigned = (alg: string) => () => `${base64url({ alg, typ: 'JWT' })}.${base64url(goodClaims())}.`;

const BAD: Record<string, () => string | Promise<string>> = {
  'alg none': unsigned('none'),
  'alg None': unsigned('None'),
  'alg NONE with a signature': () => hs({ alg: 'NONE', typ: 'JWT' }, goodClaims()),
  'no signature': unsigned('HS256'),
  'no alg': () => hs({ typ: 'JWT' }, goodClaims()),
  'alg HS384, truly signed': () => hs({ alg: 'HS384', typ: 'JWT' }, goodClaims(), SECRET, 'sha384'),
  'alg HS512, truly signed': () => hs({ alg: 'HS512', typ: 'JWT' }, goodClaims(), SECRET, 'sha512'),
  'another secret': () => hs(GOOD_HEADER, goodClaims(), 'another secret, of 32 bytes or more'),
  'an empty secret': () => hs(GOOD_HEADER, goodClaims(), ''),
  'a public key as the secret': () => hs(GOOD_HEADER, goodClaims(), publicPem),
  'RS256 with a key of its own': () => {
    const content = `${base64url({ alg: 'RS256', typ: 'JWT' })}.${base64url(goodClaims())}`;
    return `${content}.${sign('sha256', Buffer.from(content), rsa.privateKey).toString('base64url')}`;
  },
  'its own key in the header (jwk)': () => {
    const jwk = rsa.publicKey.export({ format: 'jwk' });
    const content = `${base64url({ alg: 'RS256', typ: 'JWT', jwk })}.${base64url(goodClaims())}`;
    return `${content}.${sign('sha256', Buffer.from(content), rsa.privateKey).toString('base64url')}`;
  },
  'an octet key in the header (jwk)': () => {
    const jwk = { kty: 'oct', k: base64url('another secret, of 32 bytes or more') };
    return hs({ ...GOOD_HEADER, jwk }, goodClaims(), 'another secret, of 32 bytes or more');
  },
  'keys from elsewhere (jku)': () =>
    hs({ ...GOOD_HEADER, jku: 'http://127.0.0.1:9/jwks.json', kid: 'x' }, goodClaims(), 'x'.repeat(32)),
  'a certificate from elsewhere (x5u)': () =>
    hs({ ...GOOD_HEADER, x5u: 'http://127.0.0.1:9/cert.pem' }, goodClaims(), 'x'.repeat(32)),
  'a path as kid': () => hs({ ...GOOD_HEADER, kid: '../../../../dev/null' }, goodClaims(), ''),
  'SQL as kid': () => hs({ ...GOOD_HEADER, kid: "' union select 'x" }, goodClaims(), 'x'.repeat(32)),
  'an unknown critical extension': withHeader({ crit: ['exp'], exp: 1 }),
  'a known critical extension': withHeader({ crit: ['b64'], b64: true }),
  'no typ': withHeader({ typ: undefined }),
  'another typ': withHeader({ typ: 'dpop+jwt' }),
  'an ID token by its typ': withHeader({ typ: 'id+jwt' }),
  'a typ that is no text': withHeader({ typ: ['JWT'] }),
  'no exp': without('exp'),
  'no iat': without('iat'),
  'no sub': without('sub'),
  'no iss': without('iss'),
  'no aud': without('aud'),
  'an empty sub': withClaims({ sub: '' }),
  'a sub that is no text': withClaims({ sub: 7 }),
  'a sub with control characters': withClaims({ sub: 'a\u0000b' }),
  'a sub too long': withClaims({ sub: 'x'.repeat(257) }),
  expired: withTimes({ iat: -100, exp: -60 }),
  'expired at the epoch': withClaims({ exp: 0 }),
  'exp as text': withClaims({ exp: '4102444800' }),
  'exp null': withClaims({ exp: null }),
  'older than tokens may be': withTimes({ iat: -2 * 3_600, exp: 300 }),
  'issued in the future': withTimes({ iat: 600, exp: 900 }),
  'not valid yet': withTimes({ nbf: 120 }),
  'a foreign issuer': withClaims({ iss: 'https://elsewhere.test/' }),
  'the issuer as a list': withClaims({ iss: [ISSUER] }),
  'a foreign audience': withClaims({ aud: 'another-service' }),
  'an audience in other letters': withClaims({ aud: AUDIENCE.toUpperCase() }),
  'an empty list of audiences': withClaims({ aud: [] }),
  'a tenant that is no name': withClaims({ tenant: '../acme' }),
  'a tenant with a dot': withClaims({ tenant: 'a.b' }),
  'a tenant that is no text': withClaims({ tenant: { $ne: null } }),
  'an empty tenant': withClaims({ tenant: '' }),
  'scope as a list': withClaims({ scope: ['admin'] }),
  'scopes as text': withClaims({ scope: undefined, scopes: 'admin' }),
  'scopes that are no texts': withClaims({ scope: undefined, scopes: [{ name: 'admin' }] }),
  'claims that are a list': () => hs(GOOD_HEADER, []),
  'claims that are no JSON': () => hs(GOOD_HEADER, '{'),
  'a header that is no JSON': () => `${base64url('{')}.${base64url(goodClaims())}.c2ln`,
  'a changed claim': () => {
    const [header, , signature] = hs(GOOD_HEADER, { ...goodClaims(), scope: 'read' }).split('.');
    return `${header}.${base64url(goodClaims())}.${signature}`;
  },
  'a cut signature': () => hs(GOOD_HEADER, goodClaims()).slice(0, -4),
  'two parts': () => hs(GOOD_HEADER, goodClaims()).split('.').slice(0, 2).join('.'),
  'four parts': () => `${hs(GOOD_HEADER, goodClaims())}.x`,
  'encrypted under the secret': () =>
    new EncryptJWT(goodClaims())
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', typ: 'JWT' })
      .encrypt(Buffer.from(SECRET).subarray(0, 32)),
  'over 8 KiB, else good': withClaims({ filling: 'x'.repeat(9_000) }),
  'no JWT at all': () => 'let-me-in',
  dots: () => '..',
  'an API key that is not there': () => `perdure_${'0'.repeat(51)}`,
  'the start of an API key': () => 'perdure_',
  'a hash as an API key': () => `perdure_\\x${'00'.repeat(32)}`,
};

const SCHEMES: Record<string, (token: string) => string> = {
  Basic: (token) => `Basic ${Buffer.from(`me:${token}`).toString('base64')}`,
  'no scheme': (token) => token,
  'two tokens': (token) => `Bearer ${token} ${token}`,
  'a comma': (token) => `Bearer ${token}, Bearer ${token}`,
  'no token': () => 'Bearer',
};

describe('401, always the same', () => {
  const known: { body?: object } = {};

  async function expectRefused(name: string, headers: Record<string, string>): Promise<void> {
    const address = `2001:db8:0:${addresses++}::1`;
    // What no route would take is not even looked at before the token is.
    const answer = await api.post('/v1/jobs', 'not JSON', { 'x-forwarded-for': address, ...headers });
    const { instance, ...body } = answer.body;
    known.body ??= body;
    expect({ name, status: answer.status, ...body }).toEqual({ name, status: 401, ...known.body });
    expect(instance).toBe(answer.headers.get('x-request-id'));
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(answer.headers.get('retry-after')).toBeNull();
  }
  let addresses = 1;

  test('for a request without a token', () => expectRefused('nothing', {}));

  test(`for each of ${Object.keys(BAD).length} bad tokens`, async () => {
    expect(Object.keys(BAD).length).toBeGreaterThanOrEqual(40);
    for (const [name, make] of Object.entries(BAD)) await expectRefused(name, bearer(await make()));
  });

  test('for a good token that is not sent as one', async () => {
    for (const [name, write] of Object.entries(SCHEMES)) {
      await expectRefused(name, { authorization: write(hs(GOOD_HEADER, goodClaims())) });
    }
  });

  test('for what is not there and what is not done, too', async () => {
    for (const [method, path] of [
      ['GET', '/v1/nothing'],
      ['GET', '/nothing'],
      ['DELETE', '/v1/jobs'],
      ['OPTIONS', '/v1/jobs'],
    ] as const) {
      expect((await api.call(method, path)).status, path).toBe(401);
    }
  });
});

describe('a good token', () => {
  test('says who asks', async () => {
    const claims = { ...goodClaims(), tenant: 'acme', scope: 'openid operate' };
    const answer = await api.get('/v1/whoami', bearer(hs(GOOD_HEADER, claims)));
    expect(answer.body).toEqual({ subject: 'me', tenant: 'acme', scopes: ['read', 'submit', 'operate'], auth: 'jwt' });
  });

  test.each<[string, () => string]>([
    ['is an access token by its typ', withHeader({ typ: 'at+jwt' })],
    ['has the long form of the typ', withHeader({ typ: 'application/at+jwt' })],
    ['is for several audiences', withClaims({ aud: ['another', AUDIENCE] })],
    ['has its scopes as a list', withClaims({ scope: undefined, scopes: ['openid', 'read'] })],
    ['ends in a moment', withTimes({ exp: 30 })],
    ['brings keys that nobody reads', withHeader({ jku: 'http://127.0.0.1:9/', kid: 'x' })],
  ])('%s', async (_name, make) => {
    expect((await api.get('/v1/whoami', bearer(make()))).status).toBe(200);
  });

  test('in other letters and with more spaces is one, too', async () => {
    const authorization = `bearer  ${hs(GOOD_HEADER, goodClaims())}`;
    expect((await api.get('/v1/whoami', { authorization })).status).toBe(200);
  });
});
