// The relay's turns: every tenant gets its part of each, and two relays never take the same job.
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';

import { createTestDatabase } from '../testing/database.ts';
import { createDatabase, type Database } from './pool.ts';
import { setCheck, takeDueChecks, takeDueStarts, waitingAmong } from './relay.ts';

let files: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Database;
beforeAll(async () => {
  files = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
  db = createDatabase({ databaseUrl: files.databaseUrl, poolSize: 6 });
});
beforeEach(() => db.query('delete from jobs'));
afterAll(async () => {
  await db.close();
  await files.drop();
});

/** The first is the oldest; all are due unless `ahead`. */
async function insertDue(
  tenant: string,
  count: number,
  { minutesAgo = 1, ahead = false, started = true } = {},
): Promise<void> {
  await db.query(
    `insert into jobs (id, tenant, status, spec, host, labels, outbound_key, created_at, updated_at, seen_in_temporal, check_at)
     select 'job_' || $1 || '_' || n, $1, 'queued', '{"notify": []}', 'h', '{}', 'k', now(), now(), $5,
       case when $4 then now() + interval '1 hour' else now() - $3 * interval '1 minute' + n * interval '1 ms' end
     from generate_series(1, $2::int) n`,
    [tenant, count, minutesAgo, ahead, started],
  );
}

const toStart = { started: false };

async function takeStarts(
  room: number,
  held: Record<string, number> = {},
  most = 100,
): Promise<Record<string, number>> {
  return countByTenant(await takeDueStarts(db, { room, most, held }));
}

async function take(limit = 200): Promise<Record<string, number>> {
  return countByTenant(await takeDueChecks(db, limit));
}

function countByTenant(jobs: { tenant: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { tenant } of jobs) counts[tenant] = (counts[tenant] ?? 0) + 1;
  return counts;
}

it('one tenant alone gets the whole turn, oldest first', async () => {
  await insertDue('big', 500);
  const taken = (await takeDueChecks(db, 200)).map(({ id }) => Number(id.split('_').at(-1)));
  expect(taken.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
  expect(await take()).toEqual({ big: 200 });
  expect(await take()).toEqual({ big: 100 });
  expect(await take()).toEqual({});
});

it('ten new jobs do not wait behind ten thousand older ones', async () => {
  await insertDue('big', 10_000, { minutesAgo: 10 });
  await insertDue('small', 10);
  await insertDue('later', 300, { ahead: true });
  const taken = await take();
  expect(taken.small).toBe(10);
  expect(taken.big).toBeGreaterThanOrEqual(100);
});

it('many tenants share a turn evenly', async () => {
  for (let n = 0; n < 50; n++) await insertDue(`t${n}`, 40, { minutesAgo: 50 - n });
  const taken = await take();
  expect(Object.keys(taken)).toHaveLength(50);
  expect(new Set(Object.values(taken))).toEqual(new Set([4]));
});

it('relays at the same moment take different jobs, and together all of them', async () => {
  await insertDue('big', 700);
  await insertDue('small', 100);
  const seen: string[] = [];
  const relay = async () => {
    for (let rounds = 0; rounds < 40; rounds++) seen.push(...(await takeDueChecks(db, 50)).map(({ id }) => id));
  };
  await Promise.all([relay(), relay(), relay()]);
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toHaveLength(800);
});

it('starts and comparisons do not stand in one line', async () => {
  await insertDue('big', 300, { ...toStart, minutesAgo: 10 });
  await insertDue('seen', 20);
  expect(await take()).toEqual({ seen: 20 });
  expect(await takeStarts(50)).toEqual({ big: 50 });
  expect(await take()).toEqual({});
});

it('as many are started as there is room for: of a tenant alone all, of several in turns', async () => {
  await insertDue('big', 300, { ...toStart, minutesAgo: 10 });
  expect(await takeStarts(40)).toEqual({ big: 40 });
  await insertDue('small', 15, toStart);
  expect(await takeStarts(20, { big: 40 })).toEqual({ small: 15, big: 5 });
});

it('where there is no room a tenant that has little there gets its least all the same, another nothing', async () => {
  await insertDue('big', 300, { ...toStart, minutesAgo: 10 });
  await insertDue('small', 15, toStart);
  expect(await takeStarts(0, { big: 40 })).toEqual({ small: 10 });
  expect(await takeStarts(0, { big: 40, small: 8 })).toEqual({ small: 2 });
  expect(await takeStarts(0, { big: 40, small: 10 })).toEqual({});
});

it('however many tenants there are, no more than the most are started', async () => {
  for (let n = 0; n < 30; n++) await insertDue(`t${n}`, 10, toStart);
  const taken = await takeStarts(0, {}, 60);
  expect(new Set(Object.values(taken))).toEqual(new Set([2]));
});

it('relays at the same moment start different jobs', async () => {
  await insertDue('big', 300, toStart);
  const taken = await Promise.all([1, 2, 3].map(() => takeDueStarts(db, { room: 40, most: 100, held: {} })));
  const ids = taken.flat().map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

it('who waits for a worker has a workflow and has not begun', async () => {
  await insertDue('big', 3, toStart);
  const ids = [1, 2, 3].map((n) => `job_big_${n}`);
  await setCheck(db, ids.slice(0, 2), new Date(), true);
  await db.query("update jobs set status = 'running' where id = 'job_big_1'");
  expect(await waitingAmong(db, ids)).toEqual(['job_big_2']);
});
