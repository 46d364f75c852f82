// Proves that a stored spec can be patched and parsed again.

import { expect, it } from 'vitest';

import { mergePatch } from './merge.ts';
import { parseJobSpec } from './parse-job-spec.ts';
import { options, specOf, url } from './spec.test-helper.ts';
import { specToInput } from './spec-to-input.ts';

it.each([
  [{ http: { url } }],
  [{ http: { url, body: {} } }],
  [{ http: { url, body: [] } }],
  [{ http: { url, body: '' } }],
  [{ http: { url, bodyText: '' } }],
  [{ http: { url, method: 'GET', bodyBase64: 'AA==' } }],
  [{ http: { url, headers: { A: { secret: 's' } }, query: { a: '' }, successOn: [404], followRedirects: true } }],
  [{ http: { url }, retry: { initialInterval: '5m', retryOn: [], jitter: 0, respectRetryAfter: false } }],
  [{ http: { url }, name: 'n', lane: 'shared', priority: 1, deadline: '1h', labels: { a: '' } }],
  [{ http: { url }, delivery: 'atMostOnce', dependsOn: ['job_1'], onDependencyFailure: 'run' }],
  [
    {
      http: { url },
      notify: [
        { on: ['failed'], webhook: { url } },
        { on: ['unknown'], email: { to: ['a@b.c'] } },
      ],
    },
  ],
])('%j survives being stored and sent again', (input) => {
  const spec = specOf(input);
  expect(specOf(specToInput(spec))).toEqual(spec);
});

it('leaves out the times of the job it came from', () => {
  const spec = specOf({ http: { url }, runAt: '2026-06-01T13:00:00Z' });
  const later = { ...options, now: new Date('2027-01-01T00:00:00Z') };
  expect(parseJobSpec(specToInput(spec), later)).toMatchObject({ ok: true, spec: { runAt: null, delay: null } });
  expect(specToInput(specOf({ http: { url }, delay: '1h' }))).not.toHaveProperty('delay');
});

it('takes a patch, whose faults are named as those of a job are', () => {
  const stored = specToInput(specOf({ http: { url, bodyText: 'x' }, retry: { maxAttempts: 2 } }));
  const patch = {
    http: { url: 'https://b.example.com/', bodyText: null, body: { a: 1 } },
    retry: { initialInterval: '5m' },
  };
  expect(specOf(mergePatch(stored, patch))).toMatchObject({
    http: { method: 'POST', url: 'https://b.example.com/', bodyText: null, body: { a: 1 } },
    retry: { maxAttempts: 2, initialInterval: '5m', maxInterval: '5m' },
  });
  expect(parseJobSpec(mergePatch(stored, { http: { url: 'http://10.0.0.1/' }, priority: 0 }), options)).toMatchObject({
    ...{ ok: false, code: 'targetNotAllowed' },
    faults: [{ pointer: '/priority' }, { pointer: '/http/url' }],
  });
});
