// Migrations: once, however many start at once, and never on a schema we do not know.
import pg from 'pg';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';

import { eventually } from '../testing/api.ts';
import { createTestDatabase } from '../testing/database.ts';
import { assertSchemaVersion, migrate, SchemaVersionError } from './migrate.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
beforeEach(async () => {
  database = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
});
afterEach(() => database.drop());

async function query<Row>(text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: database.databaseUrl });
  await client.connect();
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
}

async function emptySchema(): Promise<void> {
  await query('drop schema public cascade');
  await query('create schema public');
}

test('ten processes that migrate at once all succeed, and each migration is applied once', async () => {
  await emptySchema();
  const results = await Promise.all(Array.from({ length: 10 }, () => migrate(database.databaseUrl)));
  const applied = results.flatMap(({ applied: names }) => names);
  expect(new Set(applied).size).toBe(applied.length);
  const rows = await query<{ name: string }>('select name from perdure_migrations order by version');
  expect(rows.map(({ name }) => name)).toEqual(applied);
});

test('a second migration does nothing', async () => {
  expect(await migrate(database.databaseUrl)).toEqual({ applied: [] });
});

test('a migration that fails leaves nothing behind and can be mended', async () => {
  const broken = {
    version: 900,
    name: '0900_broken.sql',
    sql: 'create table half_done (id int); select no_such_column;',
  };
  const known = await query<{ version: number; name: string }>('select version, name from perdure_migrations');
  const existing = known.map(({ version, name }) => ({ version, name, sql: '' }));
  await expect(migrate(database.databaseUrl, [...existing, broken])).rejects.toThrow('0900_broken.sql');
  expect(await query(`select 1 from pg_tables where tablename = 'half_done'`)).toEqual([]);
  const mended = { ...broken, sql: 'create table half_done (id int)' };
  expect(await migrate(database.databaseUrl, [...existing, mended])).toEqual({ applied: ['0900_broken.sql'] });
});

test('a table that someone holds is tried again, and nobody waits behind the migration meanwhile', async () => {
  const known = await query<{ version: number; name: string }>('select version, name from perdure_migrations');
  const change = { version: 900, name: '0900_change.sql', sql: 'alter table jobs add column held int' };
  const waiting = async () =>
    (await query(`select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`))
      .length > 0;
  const holder = new pg.Client({ connectionString: database.databaseUrl });
  await holder.connect();
  await holder.query('begin');
  await holder.query('select 1 from jobs limit 1');
  const migrating = migrate(database.databaseUrl, [...known.map((one) => ({ ...one, sql: '' })), change]);
  await eventually(waiting);
  await eventually(async () => !(await waiting()));
  await holder.query('commit');
  await holder.end();
  expect(await migrating).toEqual({ applied: ['0900_change.sql'] });
});

test('an unknown newer schema is refused, by the migrator and by the app', async () => {
  await query(`insert into perdure_migrations (version, name) values (9999, '9999_future.sql')`);
  await expect(migrate(database.databaseUrl)).rejects.toThrow(SchemaVersionError);
  await expect(assertSchemaVersion({ query })).rejects.toThrow(/newer Perdure/);
});

test('a schema that lacks a migration of this version is refused by the app', async () => {
  await query('delete from perdure_migrations where version = (select max(version) from perdure_migrations)');
  await expect(assertSchemaVersion({ query })).rejects.toThrow(/perdure migrate/);
});
