// Proves that strict JSON agrees with JSON.parse on what is JSON, and names the place of all that it refuses besides.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseStrictJson } from './strict-json.ts';

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const keys = (count: number): string => `{${Array.from({ length: count }, (_, i) => `"k${i}":${i}`).join(',')}}`;

describe('what is JSON', () => {
  it.each([
    ...['null', ' true\n', '"a"', '-0', '1.50', '1e-7', '1e20', '6.022e23', '9007199254740991', '-9007199254740991'],
    ...['[]', '[ ]', '{}', '{ }', '[[],{}]', '{"":{"a/b":[1,{"~":null}]}}', '"\\ud83d\\ude00"', '"😀"', '"\\u00e9\\n"'],
    ...['"\\ud83d\ude00"', nested(32), keys(10_000), '[{"a":1},{"a":1}]'],
  ])('takes %.40s', (text) => {
    expect(parseStrictJson(text)).toEqual({ ok: true, value: JSON.parse(text) as unknown });
  });

  it.each([
    ...[
      '',
      ' ',
      '{',
      '[',
      '"',
      '"a',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":1,',
      '[1,',
      '[1,]',
      '{"a":1,}',
      '{,}',
      '[,]',
      ']',
    ],
    ...['[}', '{]', '[1}', '1 2', '{}{}', '[] ,', 'tru', 'nul', 'True', 'NaN', 'Infinity', 'undefined', "'a'", '{a:1}'],
    ...['{1:1}', '01', '-', '+1', '.5', '1.', '1e', '0x1', '1_000', '"\n"', '"\t"', '"\0"', '"\\x"', '"\\u12"', '"\\'],
    ...['"\\u12g4"', '// a\n1', '1 // a', '\u00a01', '\v1', '{"a":1 "b":2}', '{"a" 1}', '[1 2]', '[1,]]', '--1'],
  ])('answers 400 for %j', (text) => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    expect(parseStrictJson(text)).toMatchObject({ ok: false, status: 400, code: 'invalidJson', pointer: '' });
  });

  it.each([
    ['an overlong encoding', [0x22, 0xc0, 0x80, 0x22]],
    ['a surrogate in UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['half a character', [0x22, 0xc3, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x31, 0x00]],
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x31]],
  ])('answers 400 for %s', (_name, bytes) => {
    expect(parseStrictJson(Buffer.from(bytes))).toMatchObject({ ok: false, status: 400, code: 'invalidJson' });
  });

  it('says where the syntax breaks, without repeating what was sent', () => {
    const result = parseStrictJson('{\n  "password": secret\n}');
    expect(result).toMatchObject({ detail: expect.stringContaining('line 2, column 15 (position 16)') as string });
    expect(JSON.stringify(result)).not.toContain('secret');
  });
});

describe('what is JSON, but refused', () => {
  it.each([
    ['jsonTooDeep', `{"a":${nested(32)}}`, `/a${'/0'.repeat(31)}`],
    ['jsonTooDeep', nested(33), '/0'.repeat(32)],
    ['jsonTooDeep', nested(40), '/0'.repeat(32)],
    ['jsonTooManyKeys', `[${keys(10_001)}]`, '/0/k10000'],
    ['duplicateKey', '{"a":1,"b":{"c":1,"c":2}}', '/b/c'],
    ['duplicateKey', '{"a":1,"\\u0061":2}', '/a'],
    ['duplicateKey', '{"a/b":{"~":1,"~":1}}', '/a~1b/~0'],
    ['forbiddenKey', '{"http":{"__proto__":{}}}', '/http/__proto__'],
    ['forbiddenKey', '[{"\\u005f_proto__":1}]', '/0/__proto__'],
    ['forbiddenKey', '{"constructor":1}', '/constructor'],
    ['forbiddenKey', '{"prototype":1}', '/prototype'],
    ['nulCharacter', '{"a":["x","b\\u0000c"]}', '/a/1'],
    ['nulCharacter', '{"a\\u0000":1}', '/a\ufffd'],
    ['loneSurrogate', '{"a":"\\ud800"}', '/a'],
    ['loneSurrogate', '{"a":"\\udc00\\ud800"}', '/a'],
    ['loneSurrogate', '{"a":"\\ud83d x"}', '/a'],
    ['loneSurrogate', '{"a":"\ud800"}', '/a'],
    ['loneSurrogate', '{"a":"\ud83d\\ud83d\ude00"}', '/a'],
    ['loneSurrogate', '{"\\ud800":1}', '/\ufffd'],
    ['unsafeNumber', '[1e400]', '/0'],
    ['unsafeNumber', '[0,-1e400]', '/1'],
    ['unsafeNumber', '{"id":9007199254740992}', '/id'],
    ['unsafeNumber', '{"id":-9007199254740993}', '/id'],
    ['unsafeNumber', '9007199254740993.0', ''],
    ['unsafeNumber', '9'.repeat(400), ''],
  ])('%s in %.50s', (code, text, pointer) => {
    expect(() => JSON.parse(text) as unknown).not.toThrow();
    expect(parseStrictJson(text)).toMatchObject({ ok: false, status: 422, code, pointer });
  });

  it('counts keys for each item of a list on its own if asked to', () => {
    const limits = { maxKeys: 3, keysPerItemOf: 'items' };
    const item = '{"a":1,"b":{"c":[{}]}}';
    expect(parseStrictJson(`{"x":0,"items":[${item},${item}],"y":0,"z":0}`, limits)).toMatchObject({ ok: true });
    expect(parseStrictJson(`{"items":[${item},{"a":1,"b":2,"c":{"d":1}}]}`, limits)).toMatchObject({
      code: 'jsonTooManyKeys',
      pointer: '/items/1/c/d',
    });
    expect(parseStrictJson(`{"other":[${item},${item}]}`, limits)).toMatchObject({ code: 'jsonTooManyKeys' });
    expect(parseStrictJson(`{"x":{"items":[${item},${item}]}}`, limits)).toMatchObject({ code: 'jsonTooManyKeys' });
  });
});

describe('properties', () => {
  const orNull = (read: () => unknown): unknown => {
    try {
      return { value: read() };
    } catch {
      return null;
    }
  };

  it('any JSON within the limits is read as JSON.parse reads it', () => {
    const value = fc.jsonValue({ maxDepth: 8, stringUnit: 'grapheme' });
    fc.assert(
      fc.property(value, fc.constantFrom(0, 2, '\t'), (json, space) => {
        const text = JSON.stringify(json, null, space);
        const result = parseStrictJson(Buffer.from(text));
        if (result.ok) expect(result.value).toEqual(JSON.parse(text));
        else expect(['forbiddenKey', 'nulCharacter', 'unsafeNumber']).toContain(result.code);
      }),
    );
  });

  it('a text is 400 exactly when JSON.parse refuses it', () => {
    const shards = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      'a',
      '"a"',
      '"\\u00',
      '\\',
      '0',
      '1',
      '-',
      '.',
      'e',
      'null',
      ' ',
    ];
    const text = fc.array(fc.constantFrom(...shards), { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (candidate) => {
        const parsed = orNull(() => JSON.parse(candidate) as unknown);
        const result = parseStrictJson(candidate);
        expect(result.ok || result.status !== 400).toBe(parsed !== null);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('large bodies', () => {
  const MEBIBYTE = 1024 * 1024;
  it.each([
    ['long text', `{"a":"${'x'.repeat(MEBIBYTE)}"}`],
    ['many numbers', `[${'1234,'.repeat(MEBIBYTE / 5)}0]`],
    ['digits', '9'.repeat(MEBIBYTE)],
    ['many keys', `[${keys(10_000)}${',"some text"'.repeat(80_000)}]`],
    ['depth', nested(MEBIBYTE / 2)],
    ['deep objects', '{"a":'.repeat(MEBIBYTE / 5)],
    ['escapes', `"${'\\u00e9'.repeat(MEBIBYTE / 6)}"`],
  ])('a mebibyte of %s does not hold up the process', (_name, text) => {
    const body = Buffer.from(text);
    const cpuMs = Array.from({ length: 5 }, () => {
      const start = process.cpuUsage();
      parseStrictJson(body);
      return process.cpuUsage(start).user / 1000;
    });
    // A few milliseconds on an idle machine; what this catches is time that grows faster than the text.
    expect(Math.min(...cpuMs)).toBeLessThan(150);
  });
});
