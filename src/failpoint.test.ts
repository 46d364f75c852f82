// Failpoints: inert unless armed, at the time asked for, once; never in production.
import { afterEach, expect, test } from 'vitest';

import { ConfigError, parseConfig } from './config.ts';
import { armFailpoint, parseFailpoint, reach } from './failpoint.ts';

afterEach(() => armFailpoint(null));

test('a point that is not armed is passed', () => {
  reach('accept.committed');
  armFailpoint(parseFailpoint('accept.begin:1:throw'));
  reach('accept.committed');
});

test('an armed point is passed until its time has come, and after it', () => {
  armFailpoint(parseFailpoint('accept.committed:2:throw'));
  reach('accept.committed');
  expect(() => reach('accept.committed')).toThrow('failpoint accept.committed');
  reach('accept.committed');
});

test.each(['nowhere:1:exit', 'accept.begin:0:exit', 'accept.begin:1:explode', 'accept.begin', 'accept.begin:1:exit:x'])(
  '%s is no failpoint',
  (text) => {
    expect(parseFailpoint(text)).toBeNull();
    expect(() => parseConfig({ PERDURE_FAILPOINT: text })).toThrow(ConfigError);
  },
);

test('production refuses them', () => {
  const PERDURE_FAILPOINT = 'accept.begin:1:exit';
  expect(parseConfig({ PERDURE_FAILPOINT }).failpoint).toEqual({ name: 'accept.begin', nth: 1, action: 'exit' });
  expect(() => parseConfig({ PERDURE_FAILPOINT, NODE_ENV: 'production' })).toThrow(/PERDURE_FAILPOINT/);
});
