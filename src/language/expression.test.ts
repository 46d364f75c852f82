// What expressions may see, give and cost.
import { describe, expect, test } from 'vitest';

import type { Expression, Scope } from './expression.ts';
import { evaluate, parseExpression, references } from './expression.ts';
import { ExpressionError } from './expression-error.ts';

describe('values', () => {
  test.each<[string, Scope, unknown]>([
    ['input.n + 1', { input: { n: 41 } }, 42],
    ['input.n * 1.5', { input: { n: 10 } }, 15],
    ['1.5 - input.n', { input: { n: 1 } }, 0.5],
    ['input.n / 2', { input: { n: 5 } }, 2],
    ['input.n / 2.0', { input: { n: 5 } }, 2.5],
    ['input.big', { input: { big: 1e300 } }, 1e300],
    ['input', { input: { a: [1, null, { b: 'x' }] } }, { a: [1, null, { b: 'x' }] }],
    ['input.list.map(x, x.n)', { input: { list: [{ n: 1 }, { n: 2.5 }] } }, [1, 2.5]],
    ['{"a": [1, "b", null]}', {}, { a: [1, 'b', null] }],
    ['steps.a.output.id', { steps: { a: { output: { id: 'x' }, status: 'succeeded' } } }, 'x'],
    ['steps["a"].status == "failed"', { steps: { a: { output: null, status: 'failed' } } }, true],
    ['steps.a.output == null', { steps: { a: { output: null, status: 'failed' } } }, true],
    ['has(input.a.b)', { input: { a: {} } }, false],
    ['input.x == null', { input: { x: 'text' } }, false],
    ['to + string(index)', { to: 'a', index: 3 }, 'a3'],
    [
      'timestamp(run.startedAt) + duration("1h")',
      { run: { startedAt: '2026-01-01T00:00:00Z' } },
      '2026-01-01T01:00:00.000Z',
    ],
    ['duration("90s")', {}, '90s'],
    ['bytes("hello")', {}, 'aGVsbG8='],
    ['bytes("hell")', {}, 'aGVsbA=='],
    ['7u', {}, 7],
    ['"a" in input', { input: { a: null } }, true],
    ['-0.0', {}, 0],
  ])('%s', (text, scope, expected) => {
    expect(evaluate(parsed(text), scope)).toEqual(expected);
  });

  test('a field called constructor or __proto__ is a field like any other', () => {
    const input: unknown = JSON.parse('{"constructor": 1, "__proto__": {"polluted": true}}');
    expect(evaluate(parsed('input.constructor'), { input })).toBe(1);
    const copy = evaluate(parsed('input'), { input }) as Record<string, unknown>;
    expect(Object.keys(copy)).toEqual(['constructor', '__proto__']);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(copy['polluted']).toBeUndefined();
  });

  test('the prototypes of JavaScript are out of reach', () => {
    for (const text of ['input.constructor', 'input.toString', 'input.__proto__', 'input["hasOwnProperty"]']) {
      expect(() => evaluate(parsed(text), { input: {} })).toThrow(ExpressionError);
    }
  });
});

describe('errors', () => {
  test.each([
    ['input.missing', { input: {} }, 'No such key: missing'],
    ['item', {}, 'Unknown variable: item'],
    ['input.n * input.n', { input: { n: 900719925 } }, 'beyond 2^53'],
    ['1.0 / 0.0', {}, 'JSON cannot hold'],
    ['1 / 0', {}, 'division by zero'],
    ['type(1)', {}, 'is a type'],
    ['timestamp(input)', { input: '2026-01-01T00:00:00.000' }, 'with its zone'],
    ['input', { input: deeply(200) }, 'deep'],
  ])('%s ends with an ExpressionError', (text, scope, detail) => {
    const expression = parsed(text);
    expect(() => evaluate(expression, scope)).toThrow(ExpressionError);
    expect(() => evaluate(expression, scope)).toThrow(detail);
  });

  test.each([
    ['', 0],
    ['1 +', 3],
    ['input.a ++ 2', 9],
    ['foo(1)', 0],
    ['1 + "a"', 0],
    ['"open', 0],
    ['input.t.getHours("Europe/Paris")', 8],
    ['now()', 0],
    ['input.matches("(a+)+$")', 6],
    [`${'('.repeat(300)}1${')'.repeat(300)}`, 250],
    [Array(300).fill('1').join('+'), 0],
    ['x'.repeat(5000), 4096],
  ])('%.40s is refused with its position', (text, position) => {
    const result = parseExpression(text);
    expect(result.ok).toBe(false);
    if (!result.ok) expect(Math.abs(result.position - position)).toBeLessThanOrEqual(8);
  });
});

describe('references', () => {
  test('steps, needed outputs and free names are told apart', () => {
    const found = references(
      parsed('steps.a.output.x == input.y && steps["b"].status == "failed" && run.id != "" && size(to) > 0'),
    );
    expect(found.steps).toEqual(new Set(['a', 'b']));
    expect(found.outputs).toEqual(new Set(['a']));
    expect(found.roots).toEqual(new Set(['steps', 'input', 'run', 'to']));
  });

  test('names bound by macros are not free, types are not names', () => {
    const text = 'input.list.filter(x, type(x) == int).map(y, y + x0) != [] && cel.bind(z, steps.a.output, z > 1)';
    expect(references(parsed(text)).roots).toEqual(new Set(['input', 'x0', 'steps']));
    expect(references(parsed('input.map(steps, steps.a)')).steps).toEqual(new Set());
  });

  test('steps without an id, or with another field, are refused', () => {
    for (const text of ['steps', 'steps[input.x]', 'size(steps)', 'steps.a', 'steps.a.error', 'has(steps.a)']) {
      expect(parseExpression(text), text).toMatchObject({ ok: false });
    }
    expect(parseExpression('has(steps.a.output.b)')).toMatchObject({ ok: true });
  });
});

describe('cost', () => {
  const thousand = Array.from({ length: 1000 }, (_, index) => index);
  test.each([
    'input.all(a, input.all(b, input.all(c, a + b + c >= 0)))',
    'input.all(a, input.all(b, input.all(c, a + b + c < 0 || true))) || true',
    'input.filter(a, input == input.map(x, x)).size() > 0',
    `${'cel.bind(x, [0, 0], '.concat(...Array.from({ length: 30 }, () => 'cel.bind(x, x + x, '))}x${')'.repeat(31)}`,
    `${'cel.bind(x, "0123456789", '.concat(...Array.from({ length: 30 }, () => 'cel.bind(x, x + x, '))}x${')'.repeat(31)}`,
  ])('%.60s stops soon', (text) => {
    const begunAt = performance.now();
    expect(() => evaluate(parsed(text), { input: thousand })).toThrow('too many steps');
    expect(performance.now() - begunAt).toBeLessThan(5000);
  });

  test('ten thousand items can be filtered, again and again', () => {
    const expression = parsed('input.filter(x, x.n % 2 == 0 && x.name != "").map(x, {"id": x.n, "name": x.name})');
    const input = Array.from({ length: 10_000 }, (_, n) => ({ n, name: `name ${n}` }));
    for (let round = 0; round < 5; round += 1) {
      expect(evaluate(expression, { input })).toHaveLength(5000);
    }
  });
});

function parsed(text: string): Expression {
  const result = parseExpression(text);
  if (!result.ok) throw new Error(`${text}: ${result.detail}`);
  return result.expression;
}

function deeply(levels: number): unknown {
  return JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
}
