// Proves that jobs parsed by their model come out as if each had been parsed on its own.
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { createTargetTest } from '../http/target-url.ts';
import { createAlikeParser } from './alike.ts';
import { mergeItemDefaults } from './merge.ts';
import { parseJobSpec } from './parse-job-spec.ts';
import { options } from './spec.test-helper.ts';

const urls = [
  ...[
    'https://a.example/1',
    'https://a.example/2?q',
    'https://A.example:8443#f',
    'https://b.example',
    'http://1.2.3.4/x',
  ],
  ...[
    'https://a.example/ x',
    'https://a.example:81/',
    'http://127.0.0.1/a',
    'http://u@a.example/',
    'ftp://a.example/',
    '',
  ],
  ...['https://a.example/\u0007', 'https://a.example\\b', 'https://a.example:99999/1', 'https://?a', 7, null],
];
/** A member is there or not, and mostly alike: what is alike must not hide what is not. */
const some = (values: readonly unknown[]) => fc.constantFrom(undefined, undefined, ...values);
const http = fc.record({
  url: some(urls),
  body: some([null, 0, '', { order: 1 }, { order: 2 }, [1], false]),
  bodyText: some([null, '', 'text']),
  method: some(['PUT', 'NO']),
  headers: some([{ 'X-A': '1' }, { 'x-a': '2' }, { Host: 'x' }]),
  unknown: some([1]),
});
const item = fc.record({
  name: some(['one', '']),
  http: fc.oneof({ arbitrary: http, weight: 9 }, fc.constantFrom(undefined, null, 'http')),
  retry: some([{ maxAttempts: 3 }, { maxAttempts: 0 }]),
  labels: some([{ a: 'b' }]),
  runAt: some(['2026-06-02T00:00:00Z', '2025-06-02T00:00:00Z']),
});
/** As it comes over the wire. */
const sent = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

it('one after the other, under any defaults, as if alone', () => {
  const defaults = fc.option(item, { nil: undefined });
  fc.assert(
    fc.property(defaults, fc.array(fc.oneof(item, fc.constantFrom(null, 1, []))), (under, items) => {
      const below = under && sent(under);
      const alone = (input: unknown) => parseJobSpec(mergeItemDefaults(below, input), options);
      const parse = createAlikeParser({ parse: alone, isTarget: createTargetTest(options.policy) });
      for (const one of [...items, ...items].map(sent)) {
        const { model, ...parsed } = { model: null, ...parse(one) };
        expect(parsed).toEqual(alone(one));
        if (parsed.ok) expect(model).toEqual({ ...parsed.spec, http: { ...parsed.spec.http, ...ownOf(model) } });
      }
    }),
    { numRuns: 500 },
  );
});

function ownOf(model: { http: { url: string; body: unknown } } | null): object {
  return { url: model?.http.url, body: model?.http.body };
}

it('those alike share what they have in common', () => {
  const parse = createAlikeParser({ parse: (input) => parseJobSpec(input, options), isTarget: () => true });
  const [one, two] = [1, 2].map((n) => parse({ http: { url: `https://a.example/${n}`, body: { n } } }));
  if (!one?.ok || !two?.ok) throw new Error('both are valid');
  expect(two.model).toBe(one.model);
  expect(two.spec.retry).toBe(one.spec.retry);
  expect(two.spec.http).toMatchObject({ method: 'POST', url: 'https://a.example/2', body: { n: 2 } });
});
