// Proves that spelling does not change a fingerprint and that content does.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { canonicalJson, fingerprint } from './canonical-json.ts';

describe('canonicalJson', () => {
  it.each([
    ['{ "b": 1.0, "a": [1e2, -0, 0.10] }', '{"a":[100,0,0.1],"b":1}'],
    ['{"é":1,"z":2,"😀":3,"\uffff":4}', '{"z":2,"é":1,"😀":3,"\uffff":4}'],
    ['{"10":1,"9":2,"a":3}', '{"10":1,"9":2,"a":3}'],
    ['"\\u0061\\/\\n"', '"a/\\n"'],
    ['[null,true,false,"",{},[]]', '[null,true,false,"",{},[]]'],
  ])('%s', (text, canonical) => {
    expect(canonicalJson(JSON.parse(text))).toBe(canonical);
  });

  it.each([[undefined], [Number.NaN], [Infinity], [[undefined]], [{ a: undefined }], [() => 1]])(
    'throws on what is no JSON value: %s',
    (value) => {
      expect(() => canonicalJson(value)).toThrow(TypeError);
    },
  );

  it('is the same whatever the order of keys, the white space and the spelling of numbers', () => {
    const spell = (value: unknown): string => {
      if (Array.isArray(value)) return `[ ${value.map(spell).join(' ,\n')} ]`;
      if (typeof value === 'object' && value !== null) {
        const members = Object.entries(value).reverse();
        return `{\t${members.map(([key, member]) => `${JSON.stringify(key)} : ${spell(member)}`).join(' , ')} }`;
      }
      return typeof value === 'number' ? value.toExponential() : JSON.stringify(value);
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(JSON.parse(spell(value)))).toBe(canonicalJson(value));
      }),
    );
  });

  it('is JSON of the same value, so different values never look the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('fingerprint', () => {
  const request = { method: 'POST', path: '/v1/jobs', content: { a: 1, b: '2' } };

  it('is a SHA-256 in hex that does not depend on spelling', () => {
    expect(fingerprint(request)).toMatch(/^[0-9a-f]{64}$/);
    expect(fingerprint({ ...request, content: JSON.parse('{"b":"2","a":1.0}') as unknown })).toBe(fingerprint(request));
  });

  it.each([
    { ...request, method: 'PUT' },
    { ...request, path: '/v1/batches' },
    { ...request, content: { a: 1, b: 2 } },
    { ...request, content: { a: 1, b: '2', c: null } },
    { ...request, content: [request.content] },
  ])('changes with what was asked: %j', (other) => {
    expect(fingerprint(other)).not.toBe(fingerprint(request));
  });
});
