// Applies the numbered .sql files in order, once, however many processes start at the same moment.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import pg from 'pg';

/** Any fixed number will do, as long as every version of Perdure uses the same. */
const ADVISORY_LOCK = 7_378_837;
const LOCK_TRIES = 10;
/** Whoever waits for a table makes all others wait behind it: a service that runs puts up with this. */
const TABLE_WAIT = '1s';
const TABLE_PAUSE_MS = 1_000;

export class SchemaVersionError extends Error {
  override name = 'SchemaVersionError';
}

interface Migration {
  version: number;
  name: string;
  sql: string;
}

export async function migrate(databaseUrl: string, migrations = readMigrations()): Promise<{ applied: string[] }> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
  // A server that goes away fails the query under way; without a listener it would end the process instead.
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(`set lock_timeout = '2s'`);
    await takeLock(client);
    await client.query(`create table if not exists perdure_migrations (
      version integer primary key, name text not null, applied_at timestamptz not null default now())`);
    const current = await currentVersion(client);
    assertKnown(current, migrations);
    const pending = migrations.filter(({ version }) => version > current);
    for (const migration of pending) await apply(client, migration);
    // Also when nothing was pending: the role that it needs may have been made since (docs/decisions/tenancy.md).
    await client.query('select perdure_isolate()');
    return { applied: pending.map(({ name }) => name) };
  } finally {
    await client.end();
  }
}

/** Refuses to serve on a schema that a newer Perdure made, or that lacks a migration of this one. */
export async function assertSchemaVersion(database: { query<R>(text: string): Promise<R[]> }): Promise<void> {
  const migrations = readMigrations();
  const rows = await database.query<{ version: number | null }>(
    'select max(version) as version from perdure_migrations',
  );
  const current = rows[0]?.version ?? 0;
  assertKnown(current, migrations);
  const newest = migrations.at(-1)?.version ?? 0;
  if (current < newest) {
    throw new SchemaVersionError(
      `The schema is at ${current}, this version needs ${newest}. Run "perdure migrate" first.`,
    );
  }
}

function assertKnown(current: number, migrations: Migration[]) {
  const newest = migrations.at(-1)?.version ?? 0;
  if (current <= newest) return;
  throw new SchemaVersionError(
    `The schema is at ${current}, made by a newer Perdure; this version knows ${newest}. Upgrade.`,
  );
}

async function takeLock(client: pg.Client) {
  for (let attempt = 1; ; attempt++) {
    try {
      // Session level: it ends with the connection, also after a crash.
      await client.query('select pg_advisory_lock($1)', [ADVISORY_LOCK]);
      return;
    } catch (error) {
      if (!isBusy(error) || attempt === LOCK_TRIES) throw error;
    }
  }
}

function isBusy(error: unknown): boolean {
  return (error as { code?: string }).code === '55P03';
}

async function currentVersion(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ version: number | null }>(
    'select max(version) as version from perdure_migrations',
  );
  return rows[0]?.version ?? 0;
}

/** All of it or nothing; a table that someone holds is tried again, and everybody else gets a turn in between. */
async function apply(client: pg.Client, migration: Migration) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await applyOnce(client, migration);
    } catch (error) {
      await client.query('rollback');
      if (isBusy(error) && attempt < LOCK_TRIES) await sleep(TABLE_PAUSE_MS);
      else throw new Error(`Migration ${migration.name} failed: ${(error as Error).message}`, { cause: error });
    }
  }
}

async function applyOnce(client: pg.Client, { version, name, sql }: Migration) {
  await client.query('begin');
  await client.query(`set local lock_timeout = '${TABLE_WAIT}'`);
  await client.query('insert into perdure_migrations (version, name) values ($1, $2)', [version, name]);
  await client.query(sql);
  await client.query('commit');
}

function readMigrations(): Migration[] {
  const folder = join(packageRoot(), 'src', 'db', 'migrations');
  return readdirSync(folder)
    .filter((file) => /^\d{4}_.+\.sql$/.test(file))
    .sort()
    .map((file) => ({ version: Number(file.slice(0, 4)), name: file, sql: readFileSync(join(folder, file), 'utf8') }));
}

/** The sources run from src/db, the build from dist: both find the package by its package.json. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!readdirSync(folder).includes('package.json')) folder = dirname(folder);
  return folder;
}
