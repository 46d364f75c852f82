// Migrations while the product serves: forward, against a table that someone holds, killed half-way, two at once.
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually } from '../../src/testing/api.ts';
import type { Fault, Scene } from '../fault.ts';
import type { Call } from '../history.ts';
import { createNextVersion, type NextVersion, schemaOf } from '../migrations.ts';
import { MANY } from '../plan.ts';
import { count, withDatabase } from '../sql.ts';

const ROUNDS = { short: 1, full: 3 };
const KILLED_STARTS = { short: 3, full: 10 };
const WORK_MS = 1_000;
const HELD_MS = 3_000;
const LONGEST_OUTAGE_MS = 1_000;

export const MIGRATION_UNDER_LOAD: Fault = {
  id: 'F34',
  title: 'Migrations under load: plain, of a table that someone holds, killed half-way, two at once',
  jobs: { short: 300, full: 6_000 },
  perSecond: 100,
  mix: MANY,
  async disturb(scene) {
    const { ground, world, figures, complain, isShort } = scene;
    const next = createNextVersion(world.root);
    figures.migrations = 0;
    for (let round = 0; round < ROUNDS[isShort ? 'short' : 'full']; round++) {
      for (const migrate of [forward, held, killed, twoAtOnce]) {
        await migrate(scene, next, round);
        figures.migrations += 1;
        await scene.pause(500, 1_000);
      }
    }
    const fresh = await freshSchema(scene, next);
    if ((await schemaOf(ground.databaseUrl)) !== fresh) complain('the schema differs from the one made at once');
  },
  async afterwards({ history, figures, complain, isShort }) {
    const outageMs = longestOutage(history.calls);
    figures.answered5xx = history.calls.filter(({ status }) => status === null || status >= 500).length;
    figures.longest5xxMs = outageMs;
    if (!isShort && outageMs > LONGEST_OUTAGE_MS) complain(`nothing but errors for ${outageMs} ms`);
  },
};

/** What most migrations do to a table that is in use. */
async function forward({ ground, complain }: Scene, next: NextVersion, round: number): Promise<void> {
  next.add(`alter table jobs add column chaos_a${round} int; create index chaos_a${round} on jobs (chaos_a${round})`);
  const { code, output } = await next.migrator(ground.databaseUrl).ended;
  if (code !== 0) complain(`a migration ended with ${code}: ${output}`);
}

/** A dump, or a report that takes its time: whoever waits for the table makes all others wait behind it. */
async function held({ ground, complain }: Scene, next: NextVersion, round: number): Promise<void> {
  next.add(`alter table jobs add column chaos_b${round} int`);
  await withDatabase(ground.databaseUrl, async (client) => {
    await client.query('begin');
    await client.query('select 1 from jobs limit 1');
    const migrator = next.migrator(ground.databaseUrl);
    await sleep(HELD_MS);
    await client.query('commit');
    const { code, output } = await migrator.ended;
    if (code !== 0) complain(`a migration of a table that was held for ${HELD_MS} ms ended with ${code}: ${output}`);
  });
}

/** It is all there or nothing of it, and whoever comes next finishes it. */
async function killed({ ground, complain }: Scene, next: NextVersion, round: number): Promise<void> {
  const table = `chaos_c${round}`;
  const version = next.add(
    `create table ${table} (id int); select pg_sleep(${WORK_MS / 1_000}); alter table jobs add column ${table} int`,
  );
  const first = next.migrator(ground.databaseUrl);
  await eventually(() => isAtWork(ground.databaseUrl), { what: 'the migration to be killed is under way' });
  first.child.kill('SIGKILL');
  await first.ended;
  await eventually(async () => !(await isAtWork(ground.databaseUrl)), { what: 'its connection has ended' });
  const left = await count(ground.databaseUrl, `pg_tables where tablename = '${table}'`);
  const noted = await count(ground.databaseUrl, `perdure_migrations where version = ${version}`);
  if (left + noted > 0) complain(`a migration killed half-way left ${left} tables and ${noted} rows`);
  const { code, output } = await next.migrator(ground.databaseUrl).ended;
  if (code !== 0) complain(`the migration after a killed one ended with ${code}: ${output}`);
}

/** One does it, the other waits and finds it done. */
async function twoAtOnce({ ground, complain }: Scene, next: NextVersion, round: number): Promise<void> {
  const version = next.add(
    `create table chaos_d${round} (id int); select pg_sleep(${WORK_MS / 1_000}); alter table jobs add column chaos_d${round} int`,
  );
  const both = [next.migrator(ground.databaseUrl), next.migrator(ground.databaseUrl)];
  const ends = await Promise.all(both.map(({ ended }) => ended));
  for (const { code, output } of ends) {
    if (code !== 0) complain(`one of two migrators ended with ${code}: ${output}`);
  }
  const appliedAt = await withDatabase(ground.databaseUrl, async (client) => {
    const { rows } = await client.query<{ at: Date }>(
      'select applied_at as at from perdure_migrations where version = $1',
      [version],
    );
    return rows.length === 1 ? (rows[0]?.at.getTime() ?? null) : null;
  });
  if (appliedAt === null) return void complain('two migrators at once did not apply it once');
  // The row bears the time at which its transaction began.
  if (ends.some(({ at }) => at < appliedAt + WORK_MS)) complain('one of two migrators did not wait for the other');
}

async function isAtWork(databaseUrl: string): Promise<boolean> {
  return (await count(databaseUrl, `pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()`)) > 0;
}

/** All migrations on an empty database, by migrators of which most are killed at some moment; then by two at once. */
async function freshSchema({ ground, random, complain, isShort }: Scene, next: NextVersion): Promise<string> {
  const name = `${new URL(ground.databaseUrl).pathname.slice(1)}_fresh`;
  await withDatabase(ground.databaseUrl, (client) => client.query(`create database ${name}`));
  const url = new URL(ground.databaseUrl);
  url.pathname = `/${name}`;
  for (let n = 0; n < KILLED_STARTS[isShort ? 'short' : 'full']; n++) {
    const { child, ended } = next.migrator(url.href);
    await sleep(random.between(100, 600));
    child.kill('SIGKILL');
    await ended;
  }
  const ends = await Promise.all([next.migrator(url.href).ended, next.migrator(url.href).ended]);
  for (const { code, output } of ends) if (code !== 0) complain(`a first migration ended with ${code}: ${output}`);
  return schemaOf(url.href);
}

/** From the first to the last of calls that failed one after the other, as they ended. */
function longestOutage(calls: Call[]): number {
  const ends = calls
    .map(({ at, durationMs, status }) => ({ at: at + durationMs, isBad: status === null || status >= 500 }))
    .sort((a, b) => a.at - b.at);
  let longest = 0;
  let since: number | null = null;
  for (const { at, isBad } of ends) {
    if (!isBad) since = null;
    else longest = Math.max(longest, at - (since ??= at));
  }
  return Math.round(longest);
}
