// Whatever becomes of one fault, the next has its turn, and the report says so.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import type { Fault } from './fault.ts';
import { readOptions } from './options.ts';
import { createPlay } from './playing.ts';
import { createProgress } from './progress.ts';
import { machine, type Report } from './report.ts';
import type { World } from './world.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'perdure-playing-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const throwing: Fault = {
  ...{ id: 'F1', title: 'throws', jobs: { short: 1, full: 1 } },
  prepare: () => Promise.reject(new Error('no stage for this one')),
};
const hanging: Fault = {
  ...{ id: 'F2', title: 'hangs', jobs: { short: 1, full: 1 }, mostMinutes: 1 / 1_000 },
  prepare: () => new Promise(() => {}),
};

test.each(['oneByOne', 'lane'] as const)('one that throws and one that hangs are broken off (%s)', async (way) => {
  const options = readOptions(['--report', folder], []);
  if (typeof options === 'string') throw new Error(options);
  const report: Report = {
    ...{ command: 'chaos', seed: 1, startedAt: '', machine: machine() },
    ...{ results: [], notRun: [], broken: [], endedAt: null },
  };
  const lines: string[] = [];
  const progress = createProgress((line) => void lines.push(line));
  const world = { postgres: { stop: fails, start: fails }, temporal: { stop: fails, start: fails } };
  const play = createPlay({ world: world as unknown as World, options, report, progress, closedWithinMs: 50 });
  const faults = [throwing, hanging];
  await (way === 'oneByOne' ? play.oneByOne(faults) : play.lane(() => faults.shift()));
  expect(report.broken.map(({ id, why }) => `${id}: ${why}`)).toEqual([
    'F1: no stage for this one',
    'F2: F2 has not ended after 0 s',
  ]);
  expect(readFileSync(join(folder, 'report.md'), 'utf8')).toContain('F2 was BROKEN OFF');
  expect(lines.some((line) => line.includes('F1 BROKEN OFF'))).toBe(true);
});

function fails(): Promise<void> {
  return Promise.reject(new Error('there is none'));
}
