// Proves which idempotency keys are taken.

import { describe, expect, it } from 'vitest';

import { parseIdempotencyKey } from './idempotency-key.ts';

describe('parseIdempotencyKey', () => {
  it.each([
    [undefined, null],
    ['a', 'a'],
    ['"a"', 'a'],
    ['8e03978e-40d5-43dd-bc93-6894a57f9324', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['!~', '!~'],
    ['a"b', 'a"b'],
    ['k'.repeat(255), 'k'.repeat(255)],
    [`"${'k'.repeat(255)}"`, 'k'.repeat(255)],
  ])('of %.20s is %.20s', (header, key) => {
    expect(parseIdempotencyKey(header)).toEqual({ ok: true, key });
  });

  it.each([
    ...['', '""', '"', '"a', 'a b', '"a b"', 'a, b', ' a', 'a\t', 'a\n', 'a\0', 'é', '日', '\x7f', '"a";p=1', '"a\n"'],
    ...['k'.repeat(256), `"${'k'.repeat(256)}"`],
  ])('refuses %.20j', (header) => {
    expect(parseIdempotencyKey(header)).toMatchObject({ ok: false, detail: expect.any(String) as string });
  });
});
