// Without authentication whoever is on this machine may do everything, but not the pages that a browser on it shows.
import { request } from 'node:http';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type AccessApi, AUTH_ENVIRONMENT, bearer, signToken, startAccessApi } from '../../testing/access.ts';

const REBOUND = { host: 'evil.example' };
const CROSS_SITE = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };

function statusOf({ url }: AccessApi, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/v1/whoami`, { headers }, (response) => resolve(response.resume().statusCode));
    sent.on('error', reject).end();
  });
}

describe('without authentication', () => {
  let open: AccessApi;
  let proxied: AccessApi;
  beforeAll(async () => {
    open = await startAccessApi({});
    proxied = await startAccessApi({ PERDURE_TRUST_PROXY: '1' });
  });
  afterAll(async () => {
    await open.stop();
    await proxied.stop();
  });

  test.each<[string, Record<string, string>]>([
    ['a program', {}],
    ['a program that says localhost', { host: 'localhost:8080' }],
    ['a program that knows a short name', { host: 'perdure:8080' }],
    ['a program over IPv6', { host: '[::1]:8080' }],
    ['the address bar', { 'sec-fetch-site': 'none' }],
    ['our own page', { host: 'localhost:8080', origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin' }],
    [
      'a page of this machine',
      { host: 'localhost:8080', origin: 'http://localhost:8233', 'sec-fetch-site': 'same-site' },
    ],
  ])('%s is served', async (_name, headers) => {
    expect(await statusOf(open, headers)).toBe(200);
  });

  test.each<[string, Record<string, string>]>([
    ['a page of another site', CROSS_SITE],
    ['a page of another site in an old browser', { origin: 'https://evil.example' }],
    ['a page without an origin, as in a sandboxed frame', { origin: 'null' }],
    ['a page whose name was made to lead here', { ...REBOUND, 'sec-fetch-site': 'same-origin' }],
    ['a name that only begins as ours', { host: 'localhost.evil.example' }],
  ])('%s is refused', async (_name, headers) => {
    expect(await statusOf(open, headers)).toBe(403);
  });

  test('a proxy that we were told of brings names of its own, but no pages of other sites', async () => {
    expect(await statusOf(proxied, { host: 'perdure.example.com' })).toBe(200);
    expect(await statusOf(proxied, { host: 'perdure.example.com', ...CROSS_SITE })).toBe(403);
  });
});

test('with authentication the token is what counts', async () => {
  const access = await startAccessApi(AUTH_ENVIRONMENT);
  try {
    const token = bearer(await signToken());
    expect(await statusOf(access, { ...REBOUND, ...CROSS_SITE, ...token })).toBe(200);
    expect(await statusOf(access, { ...REBOUND, ...CROSS_SITE })).toBe(401);
  } finally {
    await access.stop();
  }
});
