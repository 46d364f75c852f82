// Proves what a good job becomes: the defaults of the contract, and all that was given.

import { describe, expect, it } from 'vitest';

import { http, job, retry, secret, specOf, url } from './spec.test-helper.ts';

describe('a good job', () => {
  it('needs a URL only; everything else has the default of the contract', () => {
    expect(specOf({ http: { url } })).toEqual({
      name: null,
      http: {
        ...{ method: 'GET', url, query: {}, headers: {}, body: null, bodyText: null, bodyBase64: null },
        ...{ timeout: '10s', successOn: ['2xx'], followRedirects: false },
      },
      retry: {
        ...{ maxAttempts: 5, initialInterval: '1s', backoffCoefficient: 2, maxInterval: '1m', jitter: 0.2 },
        ...{ retryOn: ['network', 'timeout', 408, 425, 429, '5xx'], respectRetryAfter: true, maxRetryAfter: '1h' },
      },
      ...{ delivery: 'atLeastOnce', lane: 'own', priority: 3, runAt: null, delay: null, deadline: null },
      ...{ dependsOn: [], onDependencyFailure: 'cancel', notify: [], labels: {} },
    });
  });

  it('keeps every field that is given', () => {
    const given = {
      name: 'charge-order',
      http: {
        ...{
          method: 'PUT',
          url,
          query: { a: '1' },
          headers: { 'X-A': 'b', 'X-B': { secret: 's', format: 'Bearer {}' } },
        },
        ...{ body: { order: 42 }, timeout: '10m', successOn: ['2xx', 404], followRedirects: true },
      },
      retry: {
        ...{ maxAttempts: 1, initialInterval: '2s', backoffCoefficient: 1, maxInterval: '2s', jitter: 0, retryOn: [] },
        ...{ respectRetryAfter: false, maxRetryAfter: '0s' },
      },
      ...{ delivery: 'atMostOnce', lane: 'own', priority: 1, delay: 'PT1M', deadline: '365d' },
      ...{ dependsOn: ['job_1', 'nightly-2026-12-01T12:00:00Z'], onDependencyFailure: 'run' },
      notify: [
        { on: ['succeeded', 'failed'], webhook: { url: 'https://hooks.example.com/', secret } },
        { on: ['unknown'], email: { to: ['ops@example.com', "o'neil+x@localhost"] } },
      ],
      labels: { team: 'billing' },
    };
    expect(specOf(given)).toMatchObject(given);
  });

  it.each([
    [{ body: { a: 1 } }, 'POST'],
    [{ body: '' }, 'POST'],
    [{ body: 0 }, 'POST'],
    [{ body: false }, 'POST'],
    [{ bodyText: '' }, 'POST'],
    [{ bodyBase64: 'AA==' }, 'POST'],
    [{ method: 'GET', bodyText: 'x' }, 'GET'],
    [{ body: null, bodyText: null, bodyBase64: null }, 'GET'],
  ])('of %j has the method %s', (members, method) => {
    expect(specOf(http(members)).http.method).toBe(method);
  });

  it.each([
    ['2026-06-01T11:59:00Z', '2026-06-01T11:59:00.000Z'],
    ['2026-06-02T00:00:00+02:00', '2026-06-01T22:00:00.000Z'],
    ['2027-06-01T12:00:00Z', '2027-06-01T12:00:00.000Z'],
  ])('may run at %s', (runAt, instant) => {
    expect(specOf(job({ runAt })).runAt).toBe(instant);
  });

  it.each([
    [{ initialInterval: '5m' }, { initialInterval: '5m', maxInterval: '5m' }],
    [{ maxInterval: '500ms' }, { initialInterval: '500ms', maxInterval: '500ms' }],
  ])('lets a default interval give way to %j', (given, expected) => {
    expect(specOf(retry(given)).retry).toMatchObject(expected);
  });

  it.each([
    [{}, 'shared'],
    [{ delivery: 'atMostOnce' }, 'own'],
    [{ delay: '1s' }, 'own'],
    [{ runAt: '2026-06-01T13:00:00Z' }, 'own'],
    [{ dependsOn: ['job_1'] }, 'own'],
  ])('in the shared lane with %j goes by %s', (members, lane) => {
    expect(specOf(job({ lane: 'shared', ...members })).lane).toBe(lane);
  });

  it('may have null where an answer shows null', () => {
    const input = job({ name: null, runAt: null, delay: null, deadline: null });
    expect(specOf(input)).toEqual(specOf(job()));
  });

  it('counts characters, not code units', () => {
    expect(specOf(job({ name: '😀'.repeat(128) })).name).toHaveLength(256);
  });
});
