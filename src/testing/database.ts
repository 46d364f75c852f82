// A database of its own for each test file: a copy of one migrated template.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import pg from 'pg';

import { migrate } from '../db/migrate.ts';

/** Copies of one template may not be made at the same moment; this lock keeps test files apart. */
const TEMPLATE_LOCK = 914_331;

export async function createTestDatabase(
  adminUrl: string,
  repoRoot: string,
): Promise<{ databaseUrl: string; drop(): Promise<void> }> {
  const template = `perdure_template_${migrationsHash(repoRoot)}`;
  const name = `perdure_test_${process.pid}_${Math.random().toString(36).slice(2, 8)}`;
  await asAdmin(adminUrl, async (admin) => {
    await admin.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const { rowCount } = await admin.query('select 1 from pg_database where datname = $1', [template]);
    if (!rowCount) {
      const draft = `${template}_draft`;
      await admin.query(`drop database if exists ${draft}`);
      await admin.query(`create database ${draft}`);
      await migrate(urlOf(adminUrl, draft));
      await admin.query(`alter database ${draft} rename to ${template}`);
    }
    await admin.query(`create database ${name} template ${template}`);
  });
  return {
    databaseUrl: urlOf(adminUrl, name),
    drop: () =>
      asAdmin(adminUrl, async (admin) => {
        await admin.query(`drop database if exists ${name} with (force)`);
      }),
  };
}

async function asAdmin(adminUrl: string, work: (admin: pg.Client) => Promise<void>): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}

function migrationsHash(repoRoot: string): string {
  const folder = join(repoRoot, 'src', 'db', 'migrations');
  const hash = createHash('sha256');
  for (const file of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, file)));
  return hash.digest('hex').slice(0, 12);
}
