// What the cron grammar takes, what it refuses, and where it says the fault is.
import { describe, expect, test } from 'vitest';

import { type CronSpec, parseCron } from './cron.ts';

function read(text: string): CronSpec {
  const result = parseCron(text);
  if (!result.ok) throw new Error(`${text}: ${result.reason}`);
  return result.cron;
}

const all = (min: number, max: number): number[] => Array.from({ length: max - min + 1 }, (_, index) => min + index);

describe('a good text', () => {
  test('of five fields runs at second 0, of six has its seconds first', () => {
    const everyMinute = {
      second: [0],
      minute: all(0, 59),
      hour: all(0, 23),
      dayOfMonth: all(1, 31),
      month: all(1, 12),
      dayOfWeek: all(0, 6),
      days: 'both',
    };
    expect(read('* * * * *')).toEqual(everyMinute);
    expect(read('0 */1 * * * *')).toEqual(everyMinute);
    expect(read('*/20 5 * * * *')).toEqual({ ...everyMinute, second: [0, 20, 40], minute: [5] });
  });

  test.each<[string, Partial<CronSpec>]>([
    ['0-10/5,30,7 * * * *', { minute: [0, 5, 7, 10, 30] }],
    ['*/59 * * * *', { minute: [0, 59] }],
    ['05 09 * * *', { minute: [5], hour: [9] }],
    ['1,1,1-2 * * * *', { minute: [1, 2] }],
    ['5-5/1 * * * *', { minute: [5] }],
    ['0 0 * jan-Mar,DEC *', { month: [1, 2, 3, 12] }],
    ['0 0 * JAN-DEC/11 *', { month: [1, 12] }],
    ['0 0 * * MON-FRI', { dayOfWeek: [1, 2, 3, 4, 5] }],
    ['0 0 * * FRI-SUN', { dayOfWeek: [0, 5, 6] }],
    ['0 0 * * 5-7', { dayOfWeek: [0, 5, 6] }],
    ['0 0 * * sun-tue', { dayOfWeek: [0, 1, 2] }],
    ['0 0 * * SUN-SUN', { dayOfWeek: [0] }],
    ['0 0 * * 0,7', { dayOfWeek: [0] }],
    ['0 0 * * 0-7', { dayOfWeek: all(0, 6) }],
    ['0 0 * * */2', { dayOfWeek: [0, 2, 4, 6] }],
    ['  0   0 \t1 1  * ', { minute: [0], hour: [0], dayOfMonth: [1], month: [1] }],
    ['0 0 29 2 *', { dayOfMonth: [29], month: [2] }],
  ])('%j', (text, expected) => {
    expect(read(text)).toMatchObject(expected);
  });

  test.each([
    ['@hourly', '0 * * * *'],
    ['@daily', '0 0 * * *'],
    ['@midnight', '0 0 * * *'],
    ['@weekly', '0 0 * * SUN'],
    ['@monthly', '0 0 1 * *'],
    ['@yearly', '0 0 1 1 *'],
    ['@annually', '0 0 1 1 *'],
  ])('%s means %s', (alias, text) => {
    expect(read(alias)).toEqual(read(text));
  });

  test.each<[string, CronSpec['days']]>([
    ['0 0 13 * FRI', 'either'],
    ['0 0 1-7 * 1', 'either'],
    ['0 0 */2 * MON', 'both'],
    ['0 0 13 * */2', 'both'],
    ['0 0 *,5 * MON', 'both'],
    ['0 0 30 2 MON', 'either'],
  ])('%s needs %s of its day fields', (text, days) => {
    expect(read(text).days).toBe(days);
  });
});

describe('a bad text', () => {
  test.each<[string, number, RegExp]>([
    ['', 0, /empty/],
    ['   ', 0, /empty/],
    ['* * * *', 7, /has 4/],
    ['* * * * * * *', 12, /has 7/],
    ['0 0 12 * * MON 2026', 15, /has 7/],
    ['60 * * * *', 0, /"60" is no minute \(0-59\)/],
    ['100 * * * *', 0, /"100" is no minute/],
    ['60 * * * * *', 0, /is no second/],
    ['* 24 * * *', 2, /is no hour/],
    ['* * 0 * *', 4, /is no day of month/],
    ['* * 32 * *', 4, /is no day of month/],
    ['* * * 13 *', 6, /is no month/],
    ['* * * * 8', 8, /is no day of week/],
    ['*/0 * * * *', 2, /at least 1/],
    ['*/60 * * * *', 2, /larger than its range 0-59/],
    ['* */24 * * *', 4, /larger than its range 0-23/],
    ['* * * */12 *', 8, /larger than its range 1-12/],
    ['0-10/11 * * * *', 5, /larger/],
    ['1/70 * * * *', 1, /needs \* or a range/],
    ['5/15 * * * *', 1, /needs \* or a range/],
    ['*/5/2 * * * *', 3, /one step/],
    ['*/ * * * *', 2, /not a step/],
    ['*/-1 * * * *', 2, /not a step/],
    ['5-1 * * * *', 0, /begins after its end/],
    ['* * * * 5-0', 8, /begins after its end/],
    ['* * * * FRI-MON', 8, /begins after its end/],
    ['* * * NOV-FEB *', 6, /begins after its end/],
    ['1-2-3 * * * *', 3, /one begin and one end/],
    ['-5 * * * *', 0, /missing/],
    ['5- * * * *', 2, /missing/],
    ['1,,2 * * * *', 2, /missing/],
    ['1,2, * * * *', 4, /missing/],
    [', * * * *', 0, /missing/],
    ['*5 * * * *', 0, /is no minute/],
    ['*-5 * * * *', 0, /is no minute/],
    ['MON * * * *', 0, /is no minute/],
    ['* * * MON *', 6, /is no month/],
    ['* * * * JAN', 8, /is no day of week/],
    ['* * * * MONDAY', 8, /is no day of week/],
    ['* * L * *', 4, /L, W and H/],
    ['* * LW * *', 4, /L, W and H/],
    ['* * 15W * *', 4, /L, W and H/],
    ['* * W * *', 4, /L, W and H/],
    ['* * * * 5L', 8, /L, W and H/],
    ['* * * * FRIL', 8, /L, W and H/],
    ['H * * * *', 0, /L, W and H/],
    ['* * * * 5#2', 9, /# is not plain cron/],
    ['* * ? * *', 4, /\? is not plain cron/],
    ['* * * * * # nightly', 10, /# is not plain cron/],
    ['@reboot', 0, /not one of @hourly/],
    ['@every 5m', 0, /not one of/],
    ['@', 0, /not one of/],
    ['@daily *', 7, /Nothing may follow/],
    ['* @daily * * *', 2, /is no hour/],
    ['５ * * * *', 0, /"５" does not belong/],
    ['* * * * １', 8, /"１" does not belong/],
    ['*\u00a0* * * *', 1, /does not belong/],
    ['1.5 * * * *', 1, /"\." does not belong/],
    ['+5 * * * *', 0, /does not belong/],
    ['TZ=UTC * * * *', 2, /"=" does not belong/],
    ['* * *\n* *', 5, /single line/],
    ['* * * * *\n', 9, /single line/],
    ['\r\n* * * * *', 0, /single line/],
    ['* * * *\u2028*', 7, /single line/],
    [`${'1,'.repeat(1000)}1 * * * *`, 256, /at most 256/],
  ])('%j is refused at its position', (text, position, reason) => {
    const result = parseCron(text);
    expect(result).toMatchObject({ ok: false, code: 'syntax', position });
    expect(!result.ok && result.reason).toMatch(reason);
  });

  test.each([
    ['0 0 30 2 *', 4],
    ['0 0 30,31 FEB *', 4],
    ['0 0 31 4,6,9,11 *', 4],
    ['0 0 0 31 2 *', 6],
    ['0 0 30 2 */2', 4],
  ])('%s never fires', (text, position) => {
    expect(parseCron(text)).toMatchObject({ ok: false, code: 'neverFires', position });
  });
});
