// The relay's turns: every tenant gets its part of each, and two relays never take the same job.
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';

import { createTestDatabase } from '../testing/database.ts';
import { createDatabase, type Database } from './pool.ts';
import { takeDueChecks } from './relay.ts';

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
async function insertDue(tenant: string, count: number, { minutesAgo = 1, ahead = false } = {}): Promise<void> {
  await db.query(
    `insert into jobs (id, tenant, status, spec, host, labels, outbound_key, created_at, updated_at, check_at)
     select 'job_' || $1 || '_' || n, $1, 'queued', '{"notify": []}', 'h', '{}', 'k', now(), now(),
       case when $4 then now() + interval '1 hour' else now() - $3 * interval '1 minute' + n * interval '1 ms' end
     from generate_series(1, $2::int) n`,
    [tenant, count, minutesAgo, ahead],
  );
}

async function take(limit = 200): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { tenant } of await takeDueChecks(db, limit)) counts[tenant] = (counts[tenant] ?? 0) + 1;
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
