// Which steps start, which are skipped and why, and how a run ends.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { StepDefinition, WorkflowDefinition } from './definition.ts';
import { ON_ERROR, RUN_WHEN } from './definition.ts';
import type { StepState } from './progress.ts';
import { compensationOrder, failedSteps, hasStepEnded, nextActions, stepsWithoutOutput } from './progress.ts';
import { planRedrive } from './redrive.ts';
import { planOf } from './validate.ts';

type States = Record<string, StepState['status'] | 'dependencyFailed'>;

describe('what starts', () => {
  test('steps without dependencies start at once, the others as theirs succeed', () => {
    const flow = define(step('a'), step('b', ['a']), step('c', ['a']), step('d', ['b', 'c']));
    expect(next(flow, {})).toEqual({ start: ['a'], skip: [], outcome: null });
    expect(next(flow, { a: 'running' }).start).toEqual([]);
    expect(next(flow, { a: 'succeeded' }).start).toEqual(['b', 'c']);
    expect(next(flow, { a: 'succeeded', b: 'succeeded', c: 'retrying' }).start).toEqual([]);
    const done: States = { a: 'succeeded', b: 'succeeded', c: 'succeeded', d: 'succeeded' };
    expect(next(flow, done)).toEqual({ start: [], skip: [], outcome: 'succeeded' });
  });

  test('a reference is a dependency', () => {
    const flow = define(step('a'), step('b', [], { transform: '${ steps.a.status }' }));
    expect(next(flow, {}).start).toEqual(['a']);
  });

  test('the limit counts what runs, not what waits', () => {
    const flow = define(step('a'), step('b'), step('c'), step('d'));
    const states = statesOf({ a: 'running', b: 'waiting' });
    expect(nextActions(flow, planOf(flow), states, { maxRunning: 2 }).start).toEqual(['c']);
  });

  test('a paused run starts nothing, and still tells its outcome', () => {
    const flow = define(step('a'));
    expect(nextActions(flow, planOf(flow), statesOf({}), { paused: true })).toEqual({
      start: [],
      skip: [],
      outcome: null,
    });
    expect(nextActions(flow, planOf(flow), statesOf({ a: 'succeeded' }), { paused: true }).outcome).toBe('succeeded');
  });
});

describe('after a failure', () => {
  const flow = define(
    step('a'),
    step('b', ['a']),
    step('c', ['b']),
    step('other'),
    step('report', ['c'], { runWhen: 'allDone' }),
    step('alarm', ['c'], { runWhen: 'anyFailed' }),
  );

  test('what comes after is skipped as dependencyFailed, down to the last', () => {
    expect(next(flow, { a: 'failed', other: 'running' }).skip).toEqual([
      { id: 'b', errorCode: 'dependencyFailed', because: 'a' },
      { id: 'c', errorCode: 'dependencyFailed', because: 'b' },
    ]);
  });

  test('branches that do not depend on it go on, allDone and anyFailed steps run', () => {
    expect(next(flow, { a: 'failed' }).start).toEqual(['other', 'report', 'alarm']);
  });

  test('the run fails once all has ended', () => {
    const ended: States = {
      a: 'failed',
      b: 'dependencyFailed',
      c: 'dependencyFailed',
      other: 'succeeded',
      report: 'succeeded',
    };
    expect(next(flow, { ...ended, alarm: 'running' }).outcome).toBeNull();
    expect(next(flow, { ...ended, alarm: 'succeeded' }).outcome).toBe('failed');
    expect(failedSteps(flow, planOf(flow), statesOf(ended))).toEqual(['a']);
  });

  test('without a failure an anyFailed step is skipped without an error, and the run succeeds', () => {
    const ended: States = { a: 'succeeded', b: 'succeeded', c: 'succeeded', other: 'succeeded', report: 'succeeded' };
    expect(next(flow, ended)).toEqual({
      start: [],
      skip: [{ id: 'alarm', errorCode: null, because: null }],
      outcome: 'succeeded',
    });
  });

  test('with onError continue dependants run and the run succeeds; anyFailed steps see the failure', () => {
    const lenient = define(
      step('a', [], { onError: 'continue' }),
      step('b', ['a'], { transform: '${ steps.a.output }' }),
      step('alarm', ['a'], { runWhen: 'anyFailed' }),
    );
    expect(next(lenient, { a: 'failed' })).toEqual({ start: ['b', 'alarm'], skip: [], outcome: null });
    expect(next(lenient, { a: 'failed', b: 'succeeded', alarm: 'succeeded' }).outcome).toBe('succeeded');
  });
});

describe('after a skipped step', () => {
  const flow = define(
    step('a'),
    step('plain', ['a']),
    step('status', [], { transform: '${ steps.a.status }' }),
    step('needs', [], { transform: '${ steps.a.output }' }),
    step('chain', [], { runWhen: 'allDone', transform: '${ steps.needs.output }' }),
  );

  test('dependants run unless they need its output; those are skipped too, without an error', () => {
    expect(next(flow, { a: 'skipped' })).toEqual({
      start: ['plain', 'status'],
      skip: [
        { id: 'needs', errorCode: null, because: 'a' },
        { id: 'chain', errorCode: null, because: 'needs' },
      ],
      outcome: null,
    });
  });

  test('the reason is handed down when it is a failure', () => {
    expect(next(flow, { a: 'failed' }).skip.map(({ id, errorCode }) => [id, errorCode])).toEqual([
      ['plain', 'dependencyFailed'],
      ['status', 'dependencyFailed'],
      ['needs', 'dependencyFailed'],
      ['chain', 'dependencyFailed'],
    ]);
    expect(next(flow, { a: 'failed' }).outcome).toBe('failed');
  });

  test('outputs nobody may count on are named', () => {
    expect(stepsWithoutOutput(planOf(flow), statesOf({ a: 'skipped', plain: 'succeeded' }))).toEqual(
      new Set(['a', 'status', 'needs', 'chain']),
    );
  });
});

describe('compensation', () => {
  const compensate = { http: { url: 'https://h.example/undo' } };
  const steps = [
    step('a', [], { compensate }),
    step('b', [], { compensate }),
    step('c'),
    step('d', [], { compensate }),
  ];

  test('goes back through what succeeded, last completed first', () => {
    const states = statesOf({ a: 'succeeded', b: 'succeeded', c: 'succeeded', d: 'failed' });
    expect(compensationOrder(define(...steps), states, ['b', 'c', 'a', 'd'])).toEqual(['a', 'b']);
  });

  test('does nothing when the definition says stop', () => {
    const flow: WorkflowDefinition = { ...define(...steps), onFailure: 'stop' };
    expect(compensationOrder(flow, statesOf({ a: 'succeeded' }), ['a'])).toEqual([]);
  });
});

describe('redrive', () => {
  const flow = define(
    step('charge'),
    step('ship', ['charge']),
    step('mail', ['charge'], { onError: 'continue' }),
    step('report', ['ship'], { runWhen: 'allDone' }),
  );
  const states: States = { charge: 'succeeded', ship: 'failed', mail: 'failed', report: 'succeeded' };

  test('keeps what succeeded, and does again what failed with all that comes after', () => {
    expect(planRedrive(flow, planOf(flow), statesOf(states))).toEqual({
      kept: ['charge', 'mail'],
      again: ['ship', 'report'],
      newKeys: [],
    });
  });

  test('from a chosen step it does that one again too', () => {
    expect(planRedrive(flow, planOf(flow), statesOf(states), 'charge').again).toEqual(flow.steps.map(({ id }) => id));
  });

  test('what was compensated runs again under new keys', () => {
    const plan = planRedrive(flow, planOf(flow), statesOf({ ...states, charge: 'compensated' }));
    expect(plan).toEqual({ kept: [], again: ['charge', 'ship', 'mail', 'report'], newKeys: ['charge'] });
  });
});

describe('any run', () => {
  test('no step starts before its dependencies ended, every step ends, each starts at most once', () => {
    fc.assert(
      fc.property(anyFlow, fc.infiniteStream(fc.nat()), fc.integer({ min: 1, max: 8 }), (flow, chance, maxRunning) => {
        const { states, started, outcome } = simulate(flow, chance, maxRunning);
        expect(new Set(started).size).toBe(started.length);
        expect(flow.steps.every(({ id }) => hasStepEnded(states.get(id)))).toBe(true);
        expect(outcome).toBe(failedSteps(flow, planOf(flow), states).length > 0 ? 'failed' : 'succeeded');
      }),
      { numRuns: 200 },
    );
  });
});

/** Steps refer only to earlier ones, then they are shuffled: the order of writing must not matter. */
const anyFlow = fc
  .array(
    fc.record({
      uses: fc.array(fc.nat(), { maxLength: 3 }),
      needs: fc.array(fc.nat(), { maxLength: 1 }),
      runWhen: fc.constantFrom(...RUN_WHEN),
      onError: fc.constantFrom(...ON_ERROR),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .chain((shapes) => {
    const earlier = (picks: number[], index: number) => (index === 0 ? [] : picks.map((pick) => `s${pick % index}`));
    const steps = shapes.map(({ uses, needs, runWhen, onError }, index) =>
      step(`s${index}`, [...new Set(earlier(uses, index))], {
        runWhen,
        onError,
        transform: earlier(needs, index).map((id) => `\${ steps.${id}.output }`),
      }),
    );
    return fc.shuffledSubarray(steps, { minLength: steps.length });
  })
  .map((steps) => define(...steps));

function simulate(flow: WorkflowDefinition, chance: Iterator<number>, maxRunning: number) {
  const plan = planOf(flow);
  const planned = new Map(plan.steps.map((one) => [one.id, one]));
  const states = new Map<string, StepState>();
  const started: string[] = [];
  const random = (below: number) => (chance.next().value as number) % below;
  for (let rounds = 0; rounds <= 2 * flow.steps.length; rounds += 1) {
    const actions = nextActions(flow, plan, states, { maxRunning });
    for (const { id, errorCode } of actions.skip) states.set(id, { status: 'skipped', errorCode });
    for (const id of actions.start) {
      expect(planned.get(id)?.dependsOn.every((one) => hasStepEnded(states.get(one)))).toBe(true);
      expect(planned.get(id)?.needsOutput.some((one) => states.get(one)?.status === 'skipped')).toBe(false);
      started.push(id);
      states.set(id, { status: 'running' });
    }
    const running = [...states].filter(([, { status }]) => status === 'running').map(([id]) => id);
    expect(running.length).toBeLessThanOrEqual(maxRunning);
    if (actions.outcome !== null) return { states, started, outcome: actions.outcome };
    const ended = running[random(running.length)];
    if (ended === undefined) throw new Error('nothing runs, and the run has no outcome');
    states.set(ended, { status: (['succeeded', 'failed', 'skipped', 'succeeded'] as const)[random(4)] ?? 'failed' });
  }
  throw new Error('the run does not end');
}

function step(id: string, dependsOn: string[] = [], more: Partial<StepDefinition> = {}): StepDefinition {
  return { id, dependsOn, runWhen: 'allSucceeded', onError: 'fail', transform: null, ...more };
}

function define(...steps: StepDefinition[]): WorkflowDefinition {
  return { steps, onFailure: 'compensate' };
}

function statesOf(states: States): Map<string, StepState> {
  return new Map(
    Object.entries(states).map(([id, status]): [string, StepState] =>
      status === 'dependencyFailed' ? [id, { status: 'skipped', errorCode: status }] : [id, { status }],
    ),
  );
}

function next(flow: WorkflowDefinition, states: States) {
  return nextActions(flow, planOf(flow), statesOf(states));
}
