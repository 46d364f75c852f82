import type { WorkflowClientInterceptor } from '@temporalio/client';
import { expect, test } from 'vitest';

import { createEagerStarts } from './eager-starts.ts';

type Start = NonNullable<WorkflowClientInterceptor['startWithDetails']>;

const INPUT = { workflowType: 'any', headers: {}, options: {} } as unknown as Parameters<Start>[0];

/** Starts once; `asked` is what the server would be asked for, `end` is its answer. */
function start(starts: ReturnType<typeof createEagerStarts>) {
  let end: () => void = () => {};
  let fail: (error: Error) => void = () => {};
  let asked: boolean | undefined;
  const started = starts.interceptor.startWithDetails?.(INPUT, ({ options }) => {
    asked = options.requestEagerStart;
    return new Promise((resolve, reject) => {
      end = () => resolve({ runId: 'run', eagerlyStarted: false });
      fail = reject;
    });
  });
  return { started, end, fail, asked };
}

test('only while a worker takes work are starts asked to begin here', async () => {
  const starts = createEagerStarts();
  expect(start(starts).asked).toBeUndefined();
  starts.allow();
  const allowed = start(starts);
  expect(allowed.asked).toBe(true);
  const forbidden = starts.forbid();
  expect(start(starts).asked).toBeUndefined();
  allowed.end();
  await forbidden;
  starts.allow();
  expect(start(starts).asked).toBe(true);
});

test('a worker is not shut down before each start under way has its answer, good or bad', async () => {
  const starts = createEagerStarts();
  starts.allow();
  const [good, bad] = [start(starts), start(starts)];
  let mayShutDown = false;
  const forbidden = starts.forbid().then(() => (mayShutDown = true));
  good.end();
  await good.started;
  await new Promise(setImmediate);
  expect(mayShutDown).toBe(false);
  bad.fail(new Error('unavailable'));
  await expect(bad.started).rejects.toThrow('unavailable');
  await forbidden;
});

test('starts that begin elsewhere are not waited for', async () => {
  const starts = createEagerStarts();
  start(starts);
  await starts.forbid();
});
