// A checker is worth what it finds: made-up histories, each with one thing wrong, and the good one with nothing.
import { describe, expect, test } from 'vitest';

import { type Budget, check, type Facts, type Row, violations } from './checker.ts';
import { NO_COST } from './fault.ts';
import type { Call } from './history.ts';
import type { Send } from './oracle.ts';
import type { Plan } from './plan.ts';

const plan = (tag: string, more: Partial<Plan> = {}): Plan => ({
  tag,
  kind: 'job',
  key: `key-${tag}`,
  body: {},
  delivery: 'atLeastOnce',
  steps: { call: { behaviour: 'well', times: 0 } },
  delayMs: 0,
  copies: 1,
  reusesKey: false,
  ...more,
});
const call = (tag: string, more: Partial<Call> = {}): Call => ({
  ...{ tag, key: `key-${tag}`, op: 'submit', at: 0, durationMs: 5 },
  ...{ outcome: 'ok', status: 201, id: `job_${tag}`, detail: null },
  ...more,
});
const row = (tag: string, more: Partial<Row> = {}): Row => ({
  ...{ id: `job_${tag}`, kind: 'job', tag, status: 'succeeded' },
  ...{ createdAt: 1_000, startedAt: 1_010, finishedAt: 1_020 },
  ...more,
});
const send = (tag: string, more: Partial<Send> = {}): Send => ({
  ...{ tag, step: 'call', key: `job_${tag}`, job: `job_${tag}`, attempt: 1, ok: true, at: 1_015 },
  ...more,
});

function good(): Facts {
  return {
    plans: [plan('a'), plan('b', { delivery: 'atMostOnce' })],
    calls: [call('a'), call('b', { outcome: 'info', status: 503, id: null }), call('b', { status: 200 })],
    rows: [row('a'), row('b')],
    letters: [],
    sends: [send('a'), send('b')],
    workflows: new Map([
      ['job_a', 'COMPLETED'],
      ['job_b', 'COMPLETED'],
    ]),
    disturbances: [],
  };
}

/** The names of what was found. */
function found(change: (facts: Facts) => void, budget: Budget = NO_COST): string[] {
  const facts = good();
  change(facts);
  return Object.entries(violations(check(facts, budget))).flatMap(([name, list]) => (list.length > 0 ? [name] : []));
}

test('a history in which all went well has no violation', () => {
  expect(found(() => {})).toEqual([]);
  expect(check(good(), NO_COST)).toMatchObject({ submitted: 2, acked: 2, recovered: 1, unknown: 0, recoveryMs: null });
});

describe('bad histories', () => {
  const failed = (facts: Facts, status = 'failed') => {
    facts.plans[0] = plan('a', { steps: { call: { behaviour: 'status500', times: 2 } }, delivery: 'atMostOnce' });
    facts.rows[0] = row('a', { status });
    facts.sends[0] = send('a', { ok: false });
    facts.workflows.set('job_a', 'FAILED');
    facts.letters = [{ subject: 'job_a', reason: 'nonRetryable' }];
  };
  const wrongs: [string, string[], (facts: Facts) => void][] = [
    ['an accepted job without a row', ['lost'], (facts) => void facts.rows.shift()],
    [
      'an accepted job that never ends',
      ['lost', 'stuck'],
      (facts) => (facts.rows[0] = row('a', { status: 'running' })),
    ],
    ['a call of nobody', ['unexpected'], (facts) => void facts.sends.push(send('stranger'))],
    ['a row of nobody', ['unexpected'], (facts) => void facts.rows.push(row('stranger'))],
    [
      'a call of a refused submission',
      ['unexpected'],
      (facts) => {
        facts.calls[0] = call('a', { outcome: 'fail', status: 422, id: null });
      },
    ],
    ['two answers for one key', ['lost', 'dupJobs'], (facts) => void facts.calls.push(call('a', { id: 'job_other' }))],
    ['two rows for one key', ['dupJobs'], (facts) => void facts.rows.push(row('a', { id: 'job_other' }))],
    ['a second request', ['tooManySends'], (facts) => void facts.sends.push(send('b', { attempt: 2 }))],
    ['another key on a retry', ['tooManySends', 'keyInstability'], (f) => void f.sends.push(send('a', { key: 'new' }))],
    ['no key', ['keyInstability'], (facts) => (facts.sends[0] = send('a', { key: '' }))],
    ['a key that is not the job', ['keyInstability'], (facts) => (facts.sends[0] = send('a', { key: 'mine' }))],
    ['success that the target did not see', ['wrongTerminal'], (facts) => void facts.sends.shift()],
    ['success that was an error', ['wrongTerminal'], (facts) => (facts.sends[0] = send('a', { ok: false }))],
    ['an outcome that is not unknown', ['wrongTerminal'], (facts) => failed(facts, 'unknown')],
    ['a workflow that still runs', ['wrongTerminal'], (facts) => void facts.workflows.set('job_a', 'RUNNING')],
    ['a workflow that failed', ['wrongTerminal'], (facts) => void facts.workflows.set('job_a', 'FAILED')],
    [
      'a failed job without a dead letter',
      ['dlqMissing'],
      (facts) => {
        failed(facts);
        facts.letters = [];
      },
    ],
    ['two dead letters', ['dlqDouble'], (facts) => (failed(facts), void facts.letters.push(...facts.letters))],
    [
      'a dead letter of a job that succeeded',
      ['dlqDouble'],
      (facts) => void facts.letters.push({ subject: 'job_a', reason: 'nonRetryable' }),
    ],
    [
      'a key that was taken for other content',
      ['wrongTerminal'],
      (facts) => void facts.calls.push(call('a', { op: 'reuse', status: 201 })),
    ],
    [
      'steps out of order',
      ['unexpected'],
      (facts) => {
        facts.plans[0] = plan('a', { kind: 'run', steps: { first: wellStep, call: wellStep } });
        facts.sends.push(send('a', { step: 'first', at: 2_000 }));
      },
    ],
    ['a step before one of its parents', ['unexpected'], (facts) => diamond(facts, { right: 2_000 })],
    [
      'a step whose parent was never called',
      ['unexpected', 'wrongTerminal'],
      (facts) => diamond(facts, { right: null }),
    ],
    ['a step that may not run', ['tooManySends'], (facts) => diamond(facts, { never: 1_020 })],
    [
      'an end that is not that of the run',
      ['wrongTerminal'],
      (facts) => {
        facts.plans[0] = plan('a', { ends: 'failed' });
      },
    ],
  ];
  /** Two steps beside each other, before the one called `call`, and one that is left out. */
  const diamond = (facts: Facts, at: Record<string, number | null> = {}) => {
    const steps = { left: wellStep, right: wellStep, call: wellStep, never: { ...wellStep, sends: 0 } };
    facts.plans[0] = plan('a', { kind: 'run', steps, parents: { left: [], right: [], call: ['left', 'right'] } });
    for (const [step, sentAt] of Object.entries({ right: 1_000, left: 1_010, never: null, ...at })) {
      if (sentAt !== null) facts.sends.push(send('a', { step, at: sentAt }));
    }
  };
  const wellStep = { behaviour: 'well', times: 0 } as const;
  test.each(wrongs)('%s', (_name, expected, change) => {
    expect(found(change)).toEqual(expected);
  });

  test('but steps beside each other run in any order', () => {
    expect(found(diamond)).toEqual([]);
  });
});

describe('what a fault may cost', () => {
  const budget = { dupSends: { atLeastOnce: 1, atMostOnce: 0 }, unknown: 1 };

  test('requests again within the budget, never of an at-most-once job', () => {
    expect(found((facts) => void facts.sends.push(send('a', { attempt: 2 })), budget)).toEqual([]);
    expect(found((facts) => void facts.sends.push(send('b', { attempt: 2 })), budget)).toEqual(['tooManySends']);
  });

  test('unknown outcomes of at-most-once jobs, each with its dead letter', () => {
    const unknown = (tag: string) => (facts: Facts) => {
      facts.rows = facts.rows.map((one) => (one.tag === tag ? row(tag, { status: 'unknown' }) : one));
      facts.workflows.set(`job_${tag}`, 'FAILED');
      facts.letters.push({ subject: `job_${tag}`, reason: 'outcomeUnknown' });
    };
    expect(found(unknown('b'), budget)).toEqual([]);
    expect(found(unknown('b'))).toEqual(['wrongTerminal']);
    expect(found(unknown('a'), budget)).toEqual(['wrongTerminal']);
  });

  test('the time from the end of a disturbance to the end of what was due before it', () => {
    const facts = good();
    facts.rows = [row('a', { createdAt: 500, finishedAt: 4_000 }), row('b', { createdAt: 2_500, finishedAt: 2_600 })];
    facts.disturbances = [{ at: 900, healedAt: 2_000 }];
    expect(check(facts, NO_COST).recoveryMs).toEqual({ p50: 2_000, p99: 2_000, count: 1 });
  });
});
