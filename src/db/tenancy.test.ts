// The second wall: a statement that forgets whose rows it may see still sees no others.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

import { createTestDatabase } from '../testing/database.ts';
import { insertBulk } from './bulk-operations.ts';
import { createDatabase, type Database } from './pool.ts';

let files: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Database;

beforeAll(async () => {
  files = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
  db = createDatabase({ databaseUrl: files.databaseUrl, poolSize: 4 });
  expect(await db.isolateTenants()).toBeNull();
  for (const tenant of ['red', 'blue']) {
    await insertJob(tenant, `job_${tenant}`);
    await db.query(`insert into attempts (id, job_id, number, worker, started_at) values ($1, $2, 1, 'w', now())`, [
      `att_${tenant}`,
      `job_${tenant}`,
    ]);
    await db.query(
      `insert into runs (id, tenant, status, notify, labels, priority, key_base, created_at, updated_at)
       values ($1, $2, 'running', '[]', '{}', 3, 'k', now(), now())`,
      [`run_${tenant}`, tenant],
    );
    await db.query(`insert into run_steps (run_id, step_id, status) values ($1, 's', 'running')`, [`run_${tenant}`]);
  }
});
afterAll(async () => {
  await db.close();
  await files.drop();
});

function insertJob(tenant: string, id: string): Promise<unknown[]> {
  return db.query(
    `insert into jobs (id, tenant, status, spec, host, labels, outbound_key, created_at, updated_at)
     values ($1, $2, 'queued', '{"notify": []}', 'h', '{"team": "x"}', $1, now(), now())`,
    [id, tenant],
  );
}

const idsOf = async (text: string) => (await db.query<{ id: string }>(text)).map(({ id }) => id).sort();

describe('a statement without a tenant in it', () => {
  it('sees the rows of the tenant it runs for, in every kind of table', async () => {
    expect(await db.asTenant('red', () => idsOf('select id from jobs'))).toEqual(['job_red']);
    expect(await db.asTenant('blue', () => idsOf('select id from attempts'))).toEqual(['att_blue']);
    expect(await db.asTenant('red', () => idsOf('select run_id as id from run_steps'))).toEqual(['run_red']);
    expect(await db.asTenant('nobody', () => idsOf('select id from runs'))).toEqual([]);
  });

  it('changes and deletes no others', async () => {
    const changed = await db.asTenant('red', () => idsOf(`update jobs set name = 'mine' returning id`));
    expect(changed).toEqual(['job_red']);
    expect(await db.asTenant('red', () => idsOf('update attempts set number = 7 returning id'))).toEqual(['att_red']);
    expect(await db.asTenant('red', () => idsOf(`delete from jobs where id = 'job_blue' returning id`))).toEqual([]);
    expect(await idsOf('select id from jobs where name is null')).toEqual(['job_blue']);
  });

  it('adds none for others, nor to what is theirs', async () => {
    const denied = /row-level security/;
    await expect(db.asTenant('red', () => insertJob('blue', 'job_planted'))).rejects.toThrow(denied);
    const step = `insert into run_steps (run_id, step_id, status) values ('run_blue', 'x', 'running')`;
    await expect(db.asTenant('red', () => db.query(step))).rejects.toThrow(denied);
    const gift = `update jobs set tenant = 'blue' where id = 'job_red'`;
    await expect(db.asTenant('red', () => db.query(gift))).rejects.toThrow(denied);
  });
});

describe('connections', () => {
  it('serve tenants in turn and at once, in statements and transactions, and the service sees all', async () => {
    const look = (tenant: string) =>
      db.asTenant(tenant, async () => {
        await new Promise(setImmediate);
        const [one] = await db.transaction(async (tx) => {
          const [before] = await tx.query<{ id: string }>('select id from jobs');
          const [after] = await tx.query<{ id: string }>('select id from jobs');
          expect(after).toEqual(before);
          return tx.query<{ id: string }>('select id from jobs');
        });
        expect(await idsOf('select id from jobs')).toEqual([one?.id]);
        return one?.id;
      });
    const tenants = Array.from({ length: 60 }, (_, n) => (n % 3 === 0 ? 'red' : 'blue'));
    const [seen, all] = await Promise.all([Promise.all(tenants.map(look)), idsOf('select id from jobs')]);
    expect(seen).toEqual(tenants.map((tenant) => `job_${tenant}`));
    expect(all).toEqual(['job_blue', 'job_red']);
    expect(await db.asTenant('red', () => db.asService(() => idsOf('select id from jobs')))).toHaveLength(2);
  });

  it('keep their tenant after a statement that failed', async () => {
    const fail = () => db.transaction((tx) => tx.query('select 1 / 0'));
    await expect(db.asTenant('red', fail)).rejects.toThrow(/division/);
    expect(await db.asTenant('blue', () => idsOf('select id from jobs'))).toEqual(['job_blue']);
    expect(await db.asTenant('red', () => idsOf('select id from jobs'))).toEqual(['job_red']);
  });

  it('may do all that the API does: a bulk operation is made with its items', async () => {
    const request = { ids: ['dl_1', 'dl_2'], filters: null, patch: null, maxPerSecond: 10 };
    const bulk = await db.asTenant('red', () =>
      db.transaction((tx) => insertBulk(tx, { id: 'bulk_1', tenant: 'red', request })),
    );
    expect(bulk).toMatchObject({ total: 2 });
    expect(await db.asTenant('blue', () => idsOf('select bulk_id as id from bulk_items'))).toEqual([]);
  });

  it('cost nothing and hide nothing where tenants are not isolated', async () => {
    const plain = createDatabase({ databaseUrl: files.databaseUrl, poolSize: 2 });
    expect(await plain.asTenant('red', () => plain.query('select id from jobs'))).toHaveLength(2);
    expect(plain.stats().total).toBe(1);
    await plain.close();
  });
});

it('where the user may not take on the role, it says why, and all works as without', async () => {
  const user = `perdure_plain_${process.pid}`;
  await db.query(`create role ${user} login password 'plain'`);
  await db.query(`grant select on jobs to ${user}`);
  const url = new URL(files.databaseUrl);
  url.username = user;
  url.password = 'plain';
  const plain = createDatabase({ databaseUrl: url.href, poolSize: 2 });
  try {
    expect(await plain.isolateTenants()).toMatch(/permission denied to set role/);
    // Not the owner either: the wall is not in the way of whoever is not behind it.
    expect(await plain.asTenant('red', () => plain.query('select id from jobs'))).toHaveLength(2);
  } finally {
    await plain.close();
    await db.query(`drop owned by ${user}`);
    await db.query(`drop role ${user}`);
  }
});

it('every table that says whose its rows are has the wall', async () => {
  const open = await idsOf(
    `select c.relname as id from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relrowsecurity
       and (exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant')
         or exists (select 1 from pg_constraint f join pg_class p on p.oid = f.confrelid and p.relrowsecurity
           where f.contype = 'f' and f.conrelid = c.oid))`,
  );
  expect(open).toEqual([]);
  const walled = await db.query<{ count: number }>(
    `select count(distinct tablename)::int as count from pg_policies where policyname = 'tenant'`,
  );
  expect(walled[0]?.count).toBeGreaterThanOrEqual(14);
});

it('lists still use their indexes behind it', async () => {
  await db.query(
    `insert into jobs (id, tenant, status, spec, host, labels, outbound_key, created_at, updated_at)
     select 'job_' || n, 'many', 'succeeded', '{}', 'h', jsonb_build_object('n', n::text), 'k', now(), now()
     from generate_series(1, 20000) n`,
  );
  await db.query('analyze jobs');
  const plan = (where: string) =>
    db.asTenant('many', async () => {
      const rows = await db.query<{ 'QUERY PLAN': string }>(
        `explain select id from jobs where tenant = 'many' and ${where} order by created_at desc, id desc limit 51`,
      );
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
  expect(await plan('run_id is null')).toContain('jobs_newest');
  expect(await plan(`run_id is null and (labels <> '{}' and labels @> any(array['{"n":"7"}'::jsonb]))`)).toContain(
    'jobs_by_label',
  );
});
