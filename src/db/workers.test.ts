// The row of a worker: who may write it, what outlives a process, and when it counts as gone.
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';

import { createTestDatabase } from '../testing/database.ts';
import { createDatabase, type Database } from './pool.ts';
import { registerQueue, setQueuePaused } from './queues.ts';
import {
  beat,
  countWorkers,
  findWorker,
  forgetWorkers,
  ordersOf,
  orderWorker,
  type WorkerIdentity,
} from './workers.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
  db = createDatabase({ databaseUrl: database.databaseUrl });
  await registerQueue(db, 'q');
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

function identity(id: string, process: string): WorkerIdentity {
  return { id, process, identity: id, host: 'h', pid: 1, version: '1', roles: ['worker'], queue: 'q' };
}

const report = {
  phase: 'serving' as const,
  activities: { used: 0, max: 1 },
  workflows: { used: 0, max: 1 },
  counts: { done: 0, failed: 0 },
};
const START = { starting: true };
const NONE = { paused: false, drain: false, queuePaused: false };

async function silentFor(id: string, interval: string): Promise<void> {
  await db.query('update workers set last_heartbeat = now() - $2::interval where id = $1', [id, interval]);
}

describe('two processes under one id', () => {
  test('the newer one has the row; the older one still hears the orders', async () => {
    const [older, newer] = [identity('twin', 'a'), identity('twin', 'b')];
    expect(await beat(db, older, report, START)).toEqual(NONE);
    expect(await beat(db, newer, report, START)).toEqual(NONE);
    expect(await beat(db, older, { ...report, phase: 'drained' })).toBeNull();
    expect((await findWorker(db, 'twin'))?.state).toBe('available');
    await orderWorker(db, 'twin', 'pause');
    expect(await ordersOf(db, older)).toEqual({ ...NONE, paused: true });
  });

  test('a new process keeps the pause and not the drain of the one before', async () => {
    await beat(db, identity('again', 'a'), report, START);
    await orderWorker(db, 'again', 'pause');
    await orderWorker(db, 'again', 'drain');
    expect(await beat(db, identity('again', 'a'), report)).toEqual({ ...NONE, paused: true, drain: true });
    expect(await beat(db, identity('again', 'b'), report, START)).toEqual({ ...NONE, paused: true });
  });
});

test('a worker without a heartbeat for 15 seconds is gone and takes no orders', async () => {
  await beat(db, identity('silent', 'a'), report, START);
  await silentFor('silent', '14 seconds');
  expect((await findWorker(db, 'silent'))?.state).toBe('available');
  await silentFor('silent', '16 seconds');
  expect((await findWorker(db, 'silent'))?.state).toBe('gone');
  expect(await orderWorker(db, 'silent', 'pause')).toBeNull();
  expect(await countWorkers(db)).toContainEqual({ state: 'gone', count: 1 });
  await beat(db, identity('silent', 'a'), report);
  expect((await findWorker(db, 'silent'))?.state).toBe('available');
});

test('a draining worker can be told nothing else', async () => {
  await beat(db, identity('leaving', 'a'), report, START);
  expect((await orderWorker(db, 'leaving', 'drain'))?.state).toBe('draining');
  expect((await orderWorker(db, 'leaving', 'drain'))?.state).toBe('draining');
  expect(await orderWorker(db, 'leaving', 'resume')).toBeNull();
});

test('a worker of a paused queue hears so with its first heartbeat', async () => {
  await setQueuePaused(db, 'q', true);
  expect(await beat(db, identity('late', 'a'), report, START)).toEqual({ ...NONE, queuePaused: true });
  await setQueuePaused(db, 'q', false);
});

test('after a week only those whose pause still waits for them are remembered', async () => {
  for (const id of ['forgotten', 'awaited']) await beat(db, identity(id, 'a'), report, START);
  await orderWorker(db, 'awaited', 'pause');
  for (const id of ['forgotten', 'awaited']) await silentFor(id, '8 days');
  await forgetWorkers(db);
  expect(await findWorker(db, 'forgotten')).toBeNull();
  expect((await findWorker(db, 'awaited'))?.state).toBe('gone');
});
