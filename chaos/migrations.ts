// A newer version of the product, as far as its migrations go, and the runs of its migrator.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describeSchema } from '../src/testing/describe-schema.ts';
import { withDatabase } from './sql.ts';

/** Of versions that no real migration has reached. */
const FIRST_VERSION = 9_001;

export interface NextVersion {
  /** Adds a migration; returns its version. */
  add(sql: string): number;
  migrator(databaseUrl: string): Migrator;
}

export interface Migrator {
  child: ChildProcess;
  /** Resolves when it has ended. */
  ended: Promise<{ code: number | null; output: string; at: number }>;
}

/** Inside the copy that runs, so that it finds the packages and goes with it. */
export function createNextVersion(root: string): NextVersion {
  const next = join(root, 'next');
  for (const part of ['dist', join('src', 'db', 'migrations'), 'package.json']) {
    cpSync(join(root, part), join(next, part), { recursive: true });
  }
  let version = FIRST_VERSION;
  return {
    add(sql) {
      writeFileSync(join(next, 'src', 'db', 'migrations', `${version}_next.sql`), `${sql};\n`);
      return version++;
    },
    migrator: (databaseUrl) => startMigrator(next, databaseUrl),
  };
}

function startMigrator(root: string, databaseUrl: string): Migrator {
  const child = spawn(process.execPath, [join(root, 'dist', 'main.js'), 'migrate'], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'exit').then(() => ({ code: child.exitCode, output, at: Date.now() }));
  return { child, ended };
}

/** The schema, and the migrations it believes to have. */
export function schemaOf(databaseUrl: string): Promise<string> {
  return withDatabase(databaseUrl, async (client) => {
    const { rows } = await client.query('select version, name from perdure_migrations order by version');
    return `${await describeSchema(client)}\n${JSON.stringify(rows)}`;
  });
}
