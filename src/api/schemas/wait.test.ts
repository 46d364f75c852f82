// Proves how long a caller may ask to wait.

import { describe, expect, it } from 'vitest';

import { parsePreferWait, parseWaitParameter } from './wait.ts';

describe('parseWaitParameter', () => {
  it.each<[string[], number | null]>([
    [[], null],
    [['0s'], 0],
    [['20s'], 20_000],
    [['1m'], 60_000],
    [['PT0.5S'], 500],
  ])('of %j is %j ms', (values, waitMs) => {
    expect(parseWaitParameter(values)).toEqual({ ok: true, waitMs });
  });

  it.each([[['']], [['20']], [['61s']], [['1h']], [['-1s']], [['forever']], [['1.5s']], [['1s', '2s']]])(
    'refuses %j',
    (values) => {
      expect(parseWaitParameter(values)).toMatchObject({ ok: false, faults: [{ pointer: '/query/wait' }] });
    },
  );
});

describe('parsePreferWait', () => {
  it.each([
    ['wait=20', 20_000],
    ['WAIT = 20', 20_000],
    ['wait="20"', 20_000],
    ['respond-async, wait=5', 5000],
    ['wait=5; foo=bar, return=minimal', 5000],
    ['wait=5, wait=9', 5000],
    ['wait=0', 0],
    ['wait=600', 60_000],
    ['wait=999999999', 60_000],
  ])('of %s is %i ms', (header, waitMs) => {
    expect(parsePreferWait(header)).toBe(waitMs);
  });

  it.each([undefined, '', 'respond-async', 'wait', 'wait=', 'wait=-1', 'wait=1.5', 'wait=20s', 'wait=x', 'await=5'])(
    'drops %s',
    (header) => {
      expect(parsePreferWait(header)).toBeNull();
    },
  );
});
