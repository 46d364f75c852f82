// The example of the API, from its definition to the work of its steps.
import { describe, expect, test } from 'vitest';

import type { DefinitionChecks } from './definition-checks.ts';
import { mermaidOf } from './graph.ts';
import { checkSchema } from './input-schema.ts';
import { compileStep, itemScope } from './step-program.ts';
import { validateDefinition } from './validate.ts';

const checks: DefinitionChecks = { checkHttp: () => [], checkRetry: () => [], checkSchema };
const url = 'https://pay.example/x';
const order = {
  description: 'An order',
  input: { schema: { type: 'object', required: ['orderId'] } },
  defaults: { timeout: '10s', retry: { maxAttempts: 3 } },
  steps: [
    {
      id: 'charge',
      http: { method: 'POST', url, body: { order: '${ input.orderId }' } },
      compensate: { http: { url, body: { charge: '${ steps.charge.output.id }' } } },
    },
    { id: 'approve', dependsOn: ['charge'], waitFor: { signal: 'approval', timeout: '2d', onTimeout: 'fail' } },
    { id: 'ship', dependsOn: ['approve'], if: 'steps.approve.output.approved', http: { url } },
    {
      id: 'mail',
      dependsOn: ['ship'],
      forEach: '${ input.recipients }',
      as: 'to',
      concurrency: 10,
      http: { url: 'https://mail.example/${ to }?n=${ index }' },
      onError: 'continue',
    },
    { id: 'pause', dependsOn: ['mail'], wait: { for: '1h' } },
    { id: 'report', dependsOn: ['pause'], workflow: { name: 'report', input: { all: true } }, runWhen: 'allDone' },
  ],
  output: { tracking: '${ steps.ship.output.tracking }' },
  notify: [{ on: ['failed'], webhook: { url: 'https://h.example/', secret: 'whsec_x' } }],
  onFailure: 'compensate',
};

describe('the order example', () => {
  test('is valid, and its plan holds written and implied dependencies', () => {
    const { definition, plan } = valid(order);
    expect(definition.steps.map(({ id }) => id)).toEqual(plan.order);
    expect(plan.steps[2]).toEqual({ id: 'ship', dependsOn: ['approve'], needsOutput: ['approve'], depth: 3 });
    expect(definition.steps[0]).toMatchObject({ dependsOn: [], runWhen: 'allSucceeded', onError: 'fail' });
  });

  test('validated again it is the same, also after a journey as JSON', () => {
    const { definition, plan } = valid(order);
    expect(valid(JSON.parse(JSON.stringify(definition)))).toEqual({ valid: true, definition, plan });
  });

  test('is drawn with one node a step and one arrow a dependency', () => {
    const { definition, plan } = valid(order);
    const lines = mermaidOf(definition, plan).trim().split('\n');
    expect(lines[0]).toBe('flowchart TD');
    expect(lines).toContain('  n0["charge: http"]');
    expect(lines).toContain('  n0 --> n1');
    expect(lines).toContain('  n4 -->|allDone| n5');
    expect(lines).toHaveLength(1 + 6 + 5);
  });

  test('its steps compute their work', () => {
    const { definition } = valid(order);
    const mail = definition.steps[3]!;
    const program = compileStep(mail);
    const scope = { input: { recipients: ['a@b', 'c'] } };
    expect(program.items(scope)).toEqual(['a@b', 'c']);
    expect(program.work(itemScope(scope, mail, 'a@b', 0))).toEqual({
      kind: 'http',
      http: { url: 'https://mail.example/a%40b?n=0' },
    });
    expect(compileStep(definition.steps[4]!).work({})).toEqual({ kind: 'waitMs', durationMs: 3_600_000 });
    const ship = compileStep(definition.steps[2]!);
    const approved = (output: unknown) => ({ steps: { approve: { output, status: 'succeeded' } } });
    expect(ship.shouldRun(approved({ approved: false }))).toBe(false);
    expect(() => ship.shouldRun(approved({ approved: 'yes' }))).toThrow('true or false');
    const undo = compileStep(definition.steps[0]!).compensation!;
    expect(undo({ steps: { charge: { output: { id: 7 }, status: 'succeeded' } } })).toMatchObject({
      body: { charge: 7 },
    });
  });
});

function valid(definition: unknown) {
  const result = validateDefinition(definition, checks);
  if (!result.valid) throw new Error(JSON.stringify(result.faults));
  return result;
}
