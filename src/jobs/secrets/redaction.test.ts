// What answers hide, whatever its case, and what they leave as it is.
import { expect, test } from 'vitest';

import { createRedaction } from './redaction.ts';

test('secret headers are redacted whatever they hold, others are shown', () => {
  const shown = { 'X-A': 'b', Accept: 'a', 'X-Ref': { secret: 'r' } };
  const hidden = {
    ...{ authorization: 'a', Cookie: 'a', 'Proxy-X': 'a', 'X-Api-Key': 'a', 'X-Auth-Token': 'a', 'x-SECRET-x': 'a' },
    ...{ Authorization: { secret: 's' }, 'X-Once-Hidden': { sealed: 'id.text' } },
  };
  const redacted = Object.fromEntries(Object.keys(hidden).map((name) => [name, '[redacted]']));
  expect(createRedaction([]).headers({ ...shown, ...hidden })).toEqual({ ...shown, ...redacted });
});

test('names that the user gives are hidden in headers, JSON at any depth, queries and URLs', () => {
  const redaction = createRedaction(['SSN', 'x-session']);
  expect(redaction.headers({ 'X-Session': 'a', 'X-Other': 'a' })).toEqual({
    'X-Session': '[redacted]',
    'X-Other': 'a',
  });
  expect(redaction.fields({ list: [{ ssn: { a: 1 }, b: [1, null] }], Ssn: null })).toEqual({
    list: [{ ssn: '[redacted]', b: [1, null] }],
    Ssn: '[redacted]',
  });
  expect(redaction.query({ ssn: '1', a: '2' })).toEqual({ ssn: '[redacted]', a: '2' });
  expect(redaction.url('http://a.b/c?x=1&s%73n=2&y#ssn=3')).toBe('http://a.b/c?x=1&s%73n=[redacted]&y#ssn=3');
});

test('without names of their own, bodies and URLs are not touched', () => {
  const redaction = createRedaction([]);
  const body = { token: 'a' };
  expect(redaction.fields(body)).toBe(body);
  expect(redaction.url('http://a.b/?token=1')).toBe('http://a.b/?token=1');
});
