// Templates keep types, escape what must be escaped, and never lead a call to another host.
import { describe, expect, test } from 'vitest';

import { ExpressionError } from './expression-error.ts';
import { compileHttp, renderHttp } from './http-template.ts';
import { compileTemplate, renderTemplate } from './template.ts';
import { compileUrl, renderUrl } from './url-template.ts';

const scope = { input: { n: 1, text: 'a b', list: [1, 'x'], none: null, flag: true, braces: '}' } };

describe('JSON', () => {
  test.each<[unknown, unknown]>([
    ['${ input.n }', 1],
    ['${input.list}', [1, 'x']],
    ['${ input.none }', null],
    ['n=${ input.n }, ${ input.text }', 'n=1, a b'],
    [' ${ input.n }', ' 1'],
    ['${ input.list } ${ input.none } ${ input.flag }', '[1,"x"] null true'],
    ['$${ input.n } costs $5 $', '${ input.n } costs $5 $'],
    ['${ "}" + input.braces + \'{\' }', '}}{'],
    ['${ {"a": {"b": input.n}}.a }', { b: 1 }],
    ["${ '''it's }''' }", "it's }"],
    [{ a: ['${ input.n }', { b: 'x' }] }, { a: [1, { b: 'x' }] }],
    ['', ''],
    [null, null],
    [12, 12],
  ])('%j', (template, expected) => {
    const compiled = compileTemplate(template);
    expect(compiled.faults).toEqual([]);
    expect(renderTemplate(compiled.template, scope)).toEqual(expected);
  });

  test('every fault is told with its pointer and its position in the text', () => {
    const { faults } = compileTemplate({ 'a/b': ['x ${ 1 + } y', '${ open'], c: '${ }' }, '/body');
    expect(faults.map(({ pointer }) => pointer)).toEqual(['/body/a~1b/0', '/body/a~1b/1', '/body/c']);
    expect(faults[0]?.detail).toContain('(at character 10)');
    expect(faults[1]?.detail).toContain('never closed');
  });

  test('a key __proto__ is refused', () => {
    const { faults } = compileTemplate(JSON.parse('{"__proto__": 1}'));
    expect(faults).toEqual([{ pointer: '/__proto__', detail: 'this name is not allowed' }]);
  });

  test('what uses the output of an absent step is null, the rest is rendered', () => {
    const { template } = compileTemplate({ a: '${ steps.a.output.x }', b: '${ steps.b.output.x }' });
    const steps = { a: { output: null, status: 'skipped' }, b: { output: { x: 1 }, status: 'succeeded' } };
    expect(renderTemplate(template, { steps }, { absent: new Set(['a']) })).toEqual({ a: null, b: 1 });
  });
});

describe('URLs', () => {
  test.each([
    ['https://h.example/a/${ v }', 'x/../?#&y', 'https://h.example/a/x%2F..%2F%3F%23%26y'],
    ['https://h.example/a?b=${ v }&c=1', 'x&d=ü', 'https://h.example/a?b=x%26d%3D%C3%BC&c=1'],
    ['https://h.example?b=${ v }', '', 'https://h.example?b='],
    ['https://h.example:8443/${ v }', '@evil.example', 'https://h.example:8443/%40evil.example'],
    ['https://h.example/v${ v }', '%2e%2e', 'https://h.example/v%252e%252e'],
    ['https://h.example/a/../${ v }', 'x', 'https://h.example/a/../x'],
    ['https://h.example', 'x', 'https://h.example'],
  ])('%s with %s', (text, v, expected) => {
    const { template, faults } = compileUrl(text, '/url');
    expect(faults).toEqual([]);
    expect(renderUrl(template!, { v })).toBe(expected);
  });

  test.each([
    '${ v }',
    '${ v }://h.example/',
    'https://${ v }/',
    'https://h.example${ v }',
    'https://h.example.${ v }/',
    'https://h.example:${ v }/',
    'https://${ v }@h.example/',
    'https://h.example\\${ v }/',
    'https://user@h.example/${ v }',
    'https://h.example#${ v }',
    'https://h.example/#a${ v }',
    'ftp://h.example/${ v }',
    '/path/${ v }',
    'https://[/${ v }',
  ])('%s is refused beforehand', (text) => {
    expect(compileUrl(text, '/url').faults).toMatchObject([{ pointer: '/url' }]);
  });

  test.each([
    ['https://h.example/a/${ v }/b', '..'],
    ['https://h.example/a/.${ v }', '.'],
    ['https://h.example/a/%2e${ v }/b', '.'],
    ['https://h.example/a/${ v }', '.'],
    ['https://h.example/a/${ v }', ''],
    ['https://h.example/a/${ v }', null],
    ['https://h.example/a?x=${ v }', null],
    ['https://h.example/a/${ v }', '\ud800'],
  ])('%s with %j is refused when rendered', (text, v) => {
    const { template } = compileUrl(text, '/url');
    expect(() => renderUrl(template!, { v })).toThrow(ExpressionError);
  });
});

describe('HTTP calls', () => {
  const http = {
    method: 'POST',
    url: 'https://h.example/${ input.n }',
    query: { n: '${ input.n }' },
    headers: { 'X-List': '${ input.list }', Authorization: { secret: 'token' } },
    body: { n: '${ input.n }' },
    timeout: '${ input.n }',
  };

  test('query and headers become text, the body keeps types, a secret stays a reference', () => {
    expect(renderHttp(compileHttp(http, '/http').template!, scope)).toEqual({
      method: 'POST',
      url: 'https://h.example/1',
      query: { n: '1' },
      headers: { 'X-List': '[1,"x"]', Authorization: { secret: 'token' } },
      body: { n: 1 },
      timeout: '${ input.n }',
    });
  });

  test('a value never names a secret, and null leaves its header out', () => {
    const headers = { A: '${ input.a }', B: '${ input.none }', C: '${ input.none }!' };
    const { template } = compileHttp({ url: 'https://h.example/', headers }, '');
    const rendered = renderHttp(template!, { input: { a: { secret: 'other' }, none: null } });
    expect(rendered['headers']).toEqual({ A: '{"secret":"other"}', C: 'null!' });
    const chosen = { url: 'https://h.example/', headers: { A: { secret: '${ input.a }' } } };
    expect(compileHttp(chosen, '/http').faults).toMatchObject([{ pointer: '/http/headers/A' }]);
  });

  test('the sample holds placeholders only where expressions are allowed', () => {
    expect(compileHttp(http, '/http').sample).toMatchObject({
      url: 'https://h.example/x',
      query: { n: 'xxxx' },
      timeout: '${ input.n }',
    });
  });
});
