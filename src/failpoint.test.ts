// Failpoints: inert unless armed, at the time asked for, once; never in production.
import { afterEach, expect, test } from 'vitest';

import { ConfigError, parseConfig } from './config.ts';
import { armFailpoints, parseFailpoints, reach } from './failpoint.ts';

afterEach(() => armFailpoints([]));

const arm = (text: string) => armFailpoints(parseFailpoints(text) ?? []);

test('a point that is not armed is passed', () => {
  reach('accept.committed');
  arm('accept.begin:1:throw');
  reach('accept.committed');
});

test('an armed point is passed until its time has come, and after it', () => {
  arm('accept.committed:2:throw');
  reach('accept.committed');
  expect(() => reach('accept.committed')).toThrow('failpoint accept.committed');
  reach('accept.committed');
});

test('of several, each waits for the one before', () => {
  arm('accept.begin:1:throw,start.started:2:throw');
  reach('start.started');
  expect(() => reach('accept.begin')).toThrow('failpoint accept.begin');
  reach('start.started');
  expect(() => reach('start.started')).toThrow('failpoint start.started');
});

test.each([
  'nowhere:1:exit',
  'accept.begin:0:exit',
  'accept.begin:1:explode',
  'accept.begin',
  'accept.begin:1:exit:x',
  'accept.begin:1:exit,',
])('%s is no failpoint', (text) => {
  expect(parseFailpoints(text)).toBeNull();
  expect(() => parseConfig({ PERDURE_FAILPOINT: text })).toThrow(ConfigError);
});

test('production refuses them', () => {
  const PERDURE_FAILPOINT = 'accept.begin:1:exit';
  expect(parseConfig({ PERDURE_FAILPOINT }).failpoints).toEqual([{ name: 'accept.begin', nth: 1, action: 'exit' }]);
  expect(parseConfig({}).failpoints).toEqual([]);
  expect(() => parseConfig({ PERDURE_FAILPOINT, NODE_ENV: 'production' })).toThrow(/PERDURE_FAILPOINT/);
});
