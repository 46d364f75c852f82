// Which headers are refused, and where the fault points.
import { expect, test } from 'vitest';

import { checkOutgoingHeaders, isHeaderValue } from './headers.ts';

test.each([
  ...['Host', 'content-length', 'Connection', 'Keep-Alive', 'Transfer-Encoding', 'TE', 'Trailer', 'UPGRADE', 'Expect'],
  ...['Proxy-Authorization', 'proxy-x', 'X-Forwarded-For', 'x-forwarded-anything', 'Idempotency-Key', 'X-Perdure-Job'],
  ...['webhook-id', 'Webhook-Signature'],
])('%s is refused', (name) => {
  expect(checkOutgoingHeaders({ [name]: 'a' })).toEqual([
    { pointer: `/${name}`, detail: 'This header cannot be set.' },
  ]);
});

test.each(['', 'a b', 'a:b', 'a\r\nb', 'ä', '\u0000', 'x(y)'])('%j is not a header name', (name) => {
  expect(checkOutgoingHeaders({ [name]: 'a' })).toMatchObject([{ pointer: `/${name}` }]);
});

test('pointers are escaped', () => {
  expect(checkOutgoingHeaders({ 'a/b~c': 'a' })).toMatchObject([{ pointer: '/a~1b~0c' }]);
});

test.each(['a\r\nX-B: c', 'a\n', 'a\u0000', '\u007f', 'emoji 😀', 'ā'])('%j is not a header value', (value) => {
  expect(checkOutgoingHeaders({ 'X-A': value })).toMatchObject([{ pointer: '/X-A' }]);
  expect(isHeaderValue(value)).toBe(false);
});

test('ordinary headers, Latin-1 values and secrets pass', () => {
  const headers = {
    'Content-Type': 'application/json',
    Authorization: { secret: 'api', format: 'Bearer {}' },
    'X-Token': { secret: 'api' },
    'X-A': 'Grüße\tan alle',
    'X-Empty': '',
    'Forwarded-For': 'a',
    Tea: 'a',
  };
  expect(checkOutgoingHeaders(headers)).toEqual([]);
});

test.each(['', 'Bearer', '{} {}', 'a\r\n{}', '{ }'])('the format %j of a secret is refused', (format) => {
  expect(checkOutgoingHeaders({ 'X-A': { secret: 'api', format } })).toMatchObject([{ pointer: '/X-A' }]);
});

test('one name in two spellings is refused', () => {
  expect(checkOutgoingHeaders({ 'X-A': '1', 'x-a': '2' })).toEqual([
    { pointer: '/x-a', detail: 'This header is given twice.' },
  ]);
});

test('50 headers and 8 KiB pass, more are a fault of the whole', () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`X-${n}`, 'a']));
  expect(checkOutgoingHeaders(many(50))).toEqual([]);
  expect(checkOutgoingHeaders(many(51))).toEqual([{ pointer: '', detail: 'At most 50 headers.' }]);
  expect(checkOutgoingHeaders({ 'X-A': 'a'.repeat(8 * 1024 - 3) })).toEqual([]);
  expect(checkOutgoingHeaders({ 'X-A': 'a'.repeat(8 * 1024 - 2) })).toMatchObject([{ pointer: '' }]);
});

test('every fault is named at once', () => {
  expect(checkOutgoingHeaders({ Host: 'a', 'X-A': '\n' }).map((fault) => fault.pointer)).toEqual(['/Host', '/X-A']);
});

test('what answers show in place of a value is not taken for one', () => {
  expect(checkOutgoingHeaders({ Authorization: '[redacted]' }).map((fault) => fault.pointer)).toEqual([
    '/Authorization',
  ]);
});
