// Guessing tokens is slow, and costs neither memory nor those who have a good one.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type AccessApi, AUTH_ENVIRONMENT, bearer, signToken, startAccessApi } from '../../testing/access.ts';
import { createApi } from '../../testing/api.ts';
import { createFailedTokens } from './failed-tokens.ts';

function addMany(failed: ReturnType<typeof createFailedTokens>, address: string, times: number): (number | null)[] {
  return Array.from({ length: times }, () => failed.add(address));
}

describe('the count', () => {
  test('lets ten failures a minute through, and says when the minute is over', () => {
    let now = 1_000;
    const failed = createFailedTokens({ nowMs: () => now });
    expect(addMany(failed, '192.0.2.1', 10)).toEqual(Array(10).fill(null));
    now += 15_000;
    expect(failed.add('192.0.2.1')).toBe(45_000);
    expect(failed.add('192.0.2.2')).toBeNull();
    now += 45_000;
    expect(failed.add('192.0.2.1')).toBeNull();
  });

  test('takes an IPv6 network for one address, and an IPv4 address in IPv6 for itself', () => {
    const failed = createFailedTokens();
    addMany(failed, '2001:db8::1', 5);
    addMany(failed, '2001:db8::abcd:2', 5);
    expect(failed.add('2001:db8:0:0:ffff::')).toBeGreaterThan(0);
    expect(failed.add('2001:db8:0:1::1')).toBeNull();
    addMany(failed, '192.0.2.1', 10);
    expect(failed.add('::ffff:192.0.2.1')).toBeGreaterThan(0);
    expect(failed.add('::ffff:192.0.2.2')).toBeNull();
  });

  test('forgets the oldest when there are too many addresses', () => {
    const failed = createFailedTokens({ maxAddresses: 3 });
    addMany(failed, '192.0.2.1', 10);
    for (const last of [2, 3, 4]) failed.add(`192.0.2.${last}`);
    expect(failed.add('192.0.2.1')).toBeNull();
  });
});

describe('over HTTP', () => {
  let direct: AccessApi;
  let proxied: AccessApi;
  beforeAll(async () => {
    direct = await startAccessApi();
    proxied = await startAccessApi({ ...AUTH_ENVIRONMENT, PERDURE_TRUST_PROXY: '1' });
  });
  afterAll(async () => {
    await direct.stop();
    await proxied.stop();
  });

  test('the eleventh bad token is a 429, a good one always passes, and no token does not count', async () => {
    const api = createApi(direct.url);
    for (let turn = 0; turn < 15; turn += 1) expect((await api.get('/v1/whoami')).status).toBe(401);
    for (let turn = 0; turn < 10; turn += 1) {
      expect((await api.get('/v1/whoami', bearer(`bad${turn}`))).status).toBe(401);
    }
    // Without a proxy that we know of, the header is what anybody may write.
    const refused = await api.get('/v1/whoami', { ...bearer('bad'), 'x-forwarded-for': '192.0.2.7' });
    expect([refused.status, refused.body.code]).toEqual([429, 'tooManyRequests']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect((await api.get('/v1/whoami')).status).toBe(401);
    expect((await api.get('/v1/whoami', bearer(await signToken()))).status).toBe(200);
    expect((await api.get('/healthz')).status).toBe(200);
  });

  test('behind a proxy each caller has a count, and what callers themselves put in the header is not believed', async () => {
    const api = createApi(proxied.url);
    const from = (address: string, turn: number) =>
      api.get('/v1/whoami', { ...bearer('bad'), 'x-forwarded-for': `203.0.113.${turn}, ${address}` });
    for (let turn = 0; turn < 10; turn += 1) expect((await from('192.0.2.1', turn)).status).toBe(401);
    expect((await from('192.0.2.1', 11)).status).toBe(429);
    expect((await from('192.0.2.2', 11)).status).toBe(401);
  });
});
