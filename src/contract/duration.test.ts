// Proves which spellings of a duration are taken, and what they mean.

import { describe, expect, it } from 'vitest';

import { DURATION_PATTERN, parseDurationMs } from './duration.ts';

const DAY_MS = 86_400_000;

describe('parseDurationMs', () => {
  it.each([
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1m500ms', 60_500],
    ['1h30m', 5_400_000],
    ['2d', 2 * DAY_MS],
    ['1d2h3m4s5ms', DAY_MS + 7_384_005],
    ['90m', 5_400_000],
    ['3653d', 3653 * DAY_MS],
    ['PT1H30M', 5_400_000],
    ['P2D', 2 * DAY_MS],
    ['P1DT12H', 1.5 * DAY_MS],
    ['PT0.5S', 500],
    ['PT1.25S', 1250],
    ['PT0S', 0],
  ])('takes %s', (text, expectedMs) => {
    expect(parseDurationMs(text)).toBe(expectedMs);
    expect(text).toMatch(new RegExp(DURATION_PATTERN));
  });

  it.each([
    ...['', ' ', 's', 'P', 'PT', 'P1DT', '5', '0', '1000', 'abc', '5x', '5 m', ' 5m', '5m ', '5m\n'],
    ...['-5s', '+5s', 'PT-5S', '-PT5S', '1.5s', '0.5h', '1e3s', '0x10s', '5M', '5S', 'pt5s', '5sec', '1w', '1y'],
    ...['30m1h', '1h1h', '1s1m', '1ms1s', 'PT1M1H', 'PT1H1H', 'P1H', 'PT1D', 'P1Y', 'P1M', 'P1W', 'PT1.5H', 'PT.5S'],
    ...[
      'PT0.0001S',
      'PT0,5S',
      '\uff15s',
      '٥s',
      '3654d',
      'PT999999999999S',
      '9'.repeat(60) + 'd',
      '9'.repeat(400) + 'd',
    ],
    ...['Infinitys', 'NaNs', 'null', '1h-30m', '1h 30m', '1_000s'],
  ])('refuses %j', (text) => {
    expect(parseDurationMs(text)).toBeNull();
  });
});

it.each(['', 'P', 'PT', '5', '1w', '1h1h'])('the pattern of descriptions refuses %j', (text) => {
  expect(text).not.toMatch(new RegExp(DURATION_PATTERN));
});
