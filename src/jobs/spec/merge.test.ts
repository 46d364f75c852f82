// Proves how a batch's defaults and a merge patch are laid over one another.

import { describe, expect, it } from 'vitest';

import { locateFault, mergeItemDefaults, mergePatch } from './merge.ts';

describe('mergeItemDefaults', () => {
  const defaults = {
    name: 'default',
    http: {
      method: 'PUT',
      url: 'https://a.example/',
      query: { q: '1' },
      headers: { 'X-A': '1', 'X-B': '2' },
      body: { a: 1 },
    },
    retry: { maxAttempts: 2, jitter: 0 },
    labels: { team: 'x', env: 'y' },
    delay: '5s',
  };

  it('gives an empty item all defaults', () => {
    expect(mergeItemDefaults(defaults, {})).toEqual(defaults);
  });

  it.each<[object, object]>([
    [
      { name: 'own', priority: 1 },
      { ...defaults, name: 'own', priority: 1 },
    ],
    [{ name: null }, { ...defaults, name: null }],
    [{ http: { url: 'https://b.example/' } }, { ...defaults, http: { ...defaults.http, url: 'https://b.example/' } }],
    [{ http: { query: { z: '2' } } }, { ...defaults, http: { ...defaults.http, query: { z: '2' } } }],
    [
      { http: { headers: { 'x-a': '9', 'X-C': '3' } } },
      { ...defaults, http: { ...defaults.http, headers: { 'X-B': '2', 'x-a': '9', 'X-C': '3' } } },
    ],
    [{ http: { body: { b: 2 } } }, { ...defaults, http: { ...defaults.http, body: { b: 2 } } }],
    [{ retry: { maxAttempts: 9 } }, { ...defaults, retry: { maxAttempts: 9, jitter: 0 } }],
    [{ labels: { env: 'z' } }, { ...defaults, labels: { team: 'x', env: 'z' } }],
  ])('lays %j over the defaults', (item, merged) => {
    expect(mergeItemDefaults(defaults, item)).toEqual(merged);
  });

  it('lets an item replace what excludes its own choice', () => {
    const { body: _body, ...http } = defaults.http;
    const { delay: _delay, ...rest } = defaults;
    expect(mergeItemDefaults(defaults, { http: { bodyText: 'x' } })).toEqual({
      ...defaults,
      http: { ...http, bodyText: 'x' },
    });
    expect(mergeItemDefaults(defaults, { runAt: 'then' })).toEqual({ ...rest, runAt: 'then' });
  });

  it.each([[null], [[]], ['x']])('leaves %j to be refused as it was sent', (wrong) => {
    expect(mergeItemDefaults(defaults, wrong)).toEqual(wrong);
    expect(mergeItemDefaults(wrong, {})).toEqual({});
    expect(mergeItemDefaults(defaults, { http: wrong, retry: wrong })).toMatchObject({ http: wrong, retry: wrong });
  });

  it('changes neither side', () => {
    const before = structuredClone(defaults);
    mergeItemDefaults(defaults, { http: { headers: { 'X-A': '9' } }, labels: { a: 'b' } });
    expect(defaults).toEqual(before);
  });

  it.each([
    ['/http/url', '/defaults/http/url'],
    ['/http/headers/X~1Y', '/defaults/http/headers/X~1Y'],
    ['/priority', '/items/4/priority'],
    ['/http/method', '/items/4/http/method'],
  ])('places a fault at %s where it was sent', (pointer, expected) => {
    const sent = {
      item: { priority: 9, http: {} },
      defaults: { priority: 1, http: { url: 'x', headers: { 'X/Y': '' } } },
      ...{ itemPointer: '/items/4', defaultsPointer: '/defaults' },
    };
    expect(locateFault({ pointer, detail: 'd' }, sent)).toEqual({ pointer: expected, detail: 'd' });
  });
});

describe('mergePatch', () => {
  // The table of RFC 7396, appendix A.
  it.each<[unknown, unknown, unknown]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j patched by %j is %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  it('does not reach a prototype', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}'));
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
