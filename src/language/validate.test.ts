// A definition is taken as a whole or refused with every fault named.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { DefinitionChecks } from './definition-checks.ts';
import { checkSchema } from './input-schema.ts';
import { validateDefinition } from './validate.ts';

const checks: DefinitionChecks = {
  checkHttp: (http, pointer) =>
    (http as { method?: string }).method === 'BAD' ? [{ pointer: `${pointer}/method`, detail: 'bad method' }] : [],
  checkRetry: (retry, pointer) => (typeof retry === 'object' ? [] : [{ pointer, detail: 'must be an object' }]),
  checkSchema,
};

const url = 'https://pay.example/x';
describe('faults', () => {
  const t = { transform: 1 };
  test.each<[string, unknown, string, string]>([
    ['not an object', [], '', 'must be an object'],
    ['unknown field', { steps: [{ id: 'a', ...t }], stpes: 1 }, '/stpes', 'unknown field'],
    ['no steps', { steps: [] }, '/steps', 'at least one'],
    ['steps missing', {}, '/steps', 'must be a list'],
    [
      'too many steps',
      { steps: Array.from({ length: 501 }, (_, n) => ({ id: `s${n}`, ...t })) },
      '/steps',
      'at most 500',
    ],
    ['too deep', { steps: chain(101) }, '/steps/100', 'deep'],
    ['a bad id', oneStep({ id: '1a', ...t }), '/steps/0/id', 'must match'],
    ['a reserved id', oneStep({ id: 'input', ...t }), '/steps/0/id', 'reserved'],
    [
      'a duplicate id',
      {
        steps: [
          { id: 'a', ...t },
          { id: 'a', ...t },
        ],
      },
      '/steps/1/id',
      'earlier step',
    ],
    ['no kind', oneStep({ id: 'a' }), '/steps/0', 'found none'],
    ['two kinds', oneStep({ id: 'a', ...t, wait: { for: '1s' } }), '/steps/0', 'found wait, transform'],
    ['an unknown field of a step', oneStep({ id: 'a', ...t, 'x/y': 1 }), '/steps/0/x~1y', 'unknown field'],
    ['an unknown dependency', oneStep({ id: 'a', ...t, dependsOn: ['b'] }), '/steps/0/dependsOn/0', 'no step "b"'],
    ['itself as dependency', oneStep({ id: 'a', ...t, dependsOn: ['a'] }), '/steps/0/dependsOn/0', 'itself'],
    ['its own output', oneStep({ id: 'a', transform: '${ steps.a.output }' }), '/steps/0/transform', 'its own'],
    [
      'an unknown step in an expression',
      oneStep({ id: 'a', transform: ['${ steps.b.output }'] }),
      '/steps/0/transform/0',
      'no step "b"',
    ],
    ['an unknown name', oneStep({ id: 'a', transform: '${ inptu.x }' }), '/steps/0/transform', 'unknown name "inptu"'],
    ['the item outside forEach', oneStep({ id: 'a', transform: '${ item }' }), '/steps/0/transform', 'unknown name'],
    [
      'the item in the condition',
      oneStep({ id: 'a', ...t, forEach: [1], if: 'item > 1' }),
      '/steps/0/if',
      'unknown name',
    ],
    ['a bad expression', oneStep({ id: 'a', ...t, if: 'input.a ==' }), '/steps/0/if', '(at character 11)'],
    [
      'forEach without a list',
      oneStep({ id: 'a', ...t, forEach: 'x ${ input.a }' }),
      '/steps/0/forEach',
      'must be a list',
    ],
    ['forEach of a wait', oneStep({ id: 'a', forEach: [1], wait: { for: '1s' } }), '/steps/0/forEach', 'combined'],
    ['as without forEach', oneStep({ id: 'a', ...t, as: 'x' }), '/steps/0/as', 'needs forEach'],
    ['a reserved item name', oneStep({ id: 'a', ...t, forEach: [], as: 'steps' }), '/steps/0/as', 'reserved'],
    ['a type as item name', oneStep({ id: 'a', ...t, forEach: [], as: 'int' }), '/steps/0/as', 'reserved'],
    ['a word of CEL as item name', oneStep({ id: 'a', ...t, forEach: [], as: 'in' }), '/steps/0/as', 'reserved'],
    ['concurrency 0', oneStep({ id: 'a', ...t, forEach: [], concurrency: 0 }), '/steps/0/concurrency', '1 to 1000'],
    ['a bad runWhen', oneStep({ id: 'a', ...t, runWhen: 'x' }), '/steps/0/runWhen', '"allDone"'],
    ['a bad onError', oneStep({ id: 'a', ...t, onError: 1 }), '/steps/0/onError', '"continue"'],
    ['a wait with both', oneStep({ id: 'a', wait: { for: '1s', until: 'x' } }), '/steps/0/wait', 'exactly one'],
    ['a wait with neither', oneStep({ id: 'a', wait: {} }), '/steps/0/wait', 'exactly one'],
    ['a bad duration', oneStep({ id: 'a', wait: { for: '1 h' } }), '/steps/0/wait/for', 'duration'],
    ['a number as duration', oneStep({ id: 'a', wait: { for: 5 } }), '/steps/0/wait/for', 'duration'],
    ['a bad time', oneStep({ id: 'a', wait: { until: '2026-13-01T00:00:00Z' } }), '/steps/0/wait/until', 'RFC 3339'],
    ['a bad signal', oneStep({ id: 'a', waitFor: { signal: 'a b' } }), '/steps/0/waitFor/signal', 'must match'],
    [
      'a bad signal schema',
      oneStep({ id: 'a', waitFor: { signal: 'a', schema: { type: 'x' } } }),
      '/steps/0/waitFor/schema/type',
      '',
    ],
    [
      'a bad workflow',
      oneStep({ id: 'a', workflow: { name: '', version: 0 } }),
      '/steps/0/workflow/name',
      'must match',
    ],
    [
      'a bad version',
      oneStep({ id: 'a', workflow: { name: 'a', version: 0 } }),
      '/steps/0/workflow/version',
      'whole number',
    ],
    ['http without a URL', oneStep({ id: 'a', http: {} }), '/steps/0/http/url', 'URL'],
    [
      'what the check of calls finds',
      oneStep({ id: 'a', http: { url, method: 'BAD' } }),
      '/steps/0/http/method',
      'bad method',
    ],
    [
      'a host from an expression',
      oneStep({ id: 'a', http: { url: 'https://${ input.h }/' } }),
      '/steps/0/http/url',
      'plain text',
    ],
    ['retry of a wait', oneStep({ id: 'a', wait: { for: '1s' }, retry: {} }), '/steps/0/retry', 'needs http'],
    ['bad retry', oneStep({ id: 'a', http: { url }, retry: 1 }), '/steps/0/retry', 'object'],
    [
      'bad default timeout',
      { steps: [{ id: 'a', ...t }], defaults: { timeout: '11m' } },
      '/defaults/timeout',
      '10 minutes',
    ],
    ['a bad input schema', { steps: [{ id: 'a', ...t }], input: { schema: { type: 'x' } } }, '/input/schema/type', ''],
    [
      'a schema with a missing reference',
      { steps: [{ id: 'a', ...t }], input: { schema: { $ref: '#/x' } } },
      '/input/schema',
      'JSON Schema',
    ],
    ['a bad output', { steps: [{ id: 'a', ...t }], output: { x: '${ steps.z.output }' } }, '/output/x', 'no step "z"'],
    [
      'a bad state to notify of',
      { steps: [{ id: 'a', ...t }], notify: [{ on: ['x'], email: { to: ['a@b'] } }] },
      '/notify/0/on/0',
      'must be',
    ],
    ['no one to notify', { steps: [{ id: 'a', ...t }], notify: [{ on: ['failed'] }] }, '/notify/0', 'exactly one'],
    ['a bad onFailure', { steps: [{ id: 'a', ...t }], onFailure: 'x' }, '/onFailure', '"stop"'],
  ])('%s', (_name, definition, pointer, detail) => {
    const found = faultsOf(definition).find((fault) => fault.pointer === pointer && fault.detail.includes(detail));
    expect(found, JSON.stringify(faultsOf(definition))).toBeDefined();
  });

  test('a cycle is told with its path, also one that goes through expressions', () => {
    const steps = [
      { id: 'a', transform: '${ steps.c.output }' },
      { id: 'b', ...t, dependsOn: ['a'] },
      { id: 'c', ...t, if: 'steps.b.status == "succeeded"' },
    ];
    expect(faultsOf({ steps })).toEqual([{ pointer: '/steps/0/dependsOn', detail: 'cycle: a → c → b → a' }]);
  });

  test('a compensation may use its own output and that of steps before it, not of others', () => {
    const compensate = (id: string) => ({ http: { url, body: `\${ steps.${id}.output }` } });
    const steps = (id: string) => [
      { id: 'a', ...t },
      { id: 'b', ...t, dependsOn: ['a'] },
      { id: 'c', ...t, dependsOn: ['b'], compensate: compensate(id) },
      { id: 'd', ...t },
    ];
    for (const id of ['a', 'b', 'c']) expect(validateDefinition({ steps: steps(id) }, checks).valid).toBe(true);
    expect(faultsOf({ steps: steps('d') })).toMatchObject([{ pointer: '/steps/2/compensate/http/body' }]);
  });

  test('all are named at once', () => {
    const found = faultsOf({
      steps: [
        { id: 'a', dependsOn: ['x'], transform: '${ 1 + }', extra: 1 },
        { id: 'a', wait: { for: 'soon' }, http: { url: 'https://${ input.h }/' } },
        { id: 'run', transform: 1 },
      ],
      onFailure: 'explode',
    });
    expect(found.map(({ pointer }) => pointer).sort()).toEqual([
      '/onFailure',
      '/steps/0/dependsOn/0',
      '/steps/0/extra',
      '/steps/0/transform',
      '/steps/1',
      '/steps/1/http/url',
      '/steps/1/id',
      '/steps/1/wait/for',
      '/steps/2/id',
    ]);
  });

  test('five hundred steps that all wait for each other are refused soon', () => {
    const ids = Array.from({ length: 500 }, (_, n) => `s${n}`);
    const steps = ids.map((id) => ({ id, ...t, dependsOn: ids.filter((other) => other !== id) }));
    const begunAt = performance.now();
    expect(faultsOf({ steps }).length).toBe(20);
    expect(performance.now() - begunAt).toBeLessThan(2000);
  });
});

test('whatever is sent, validation answers', () => {
  const step = fc.record(
    Object.fromEntries(
      ['id', 'dependsOn', 'if', 'forEach', 'as', 'http', 'wait', 'waitFor', 'workflow', 'transform', 'compensate'].map(
        (key) => [
          key,
          fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>('a', ['a'], '${ steps.a.output }', { url }, {})),
        ],
      ),
    ),
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.record({ steps: fc.array(step) })), (definition) => {
      const result = validateDefinition(definition, checks);
      expect(result.valid || result.faults.length > 0).toBe(true);
    }),
  );
});

function faultsOf(definition: unknown) {
  const result = validateDefinition(definition, checks);
  return result.valid ? [] : result.faults;
}

function oneStep(step: unknown) {
  return { steps: [step] };
}

function chain(length: number) {
  return Array.from({ length }, (_, n) => ({ id: `s${n}`, transform: 1, dependsOn: n === 0 ? [] : [`s${n - 1}`] }));
}
