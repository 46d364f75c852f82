// What the pool tells of connections that break while nobody uses them.
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { eventually } from '../testing/api.ts';
import { createTestDatabase } from '../testing/database.ts';
import { createDatabase } from './pool.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
beforeAll(async () => {
  database = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
});
afterAll(() => database.drop());

test('a connection that breaks while idle is told by its error alone, without the client and its settings', async () => {
  const errors: Error[] = [];
  const { databaseUrl } = database;
  const broken = createDatabase({ databaseUrl, applicationName: 'broken', onError: (error) => errors.push(error) });
  const other = createDatabase({ databaseUrl, applicationName: 'other' });
  try {
    await broken.query('select 1');
    await other.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'broken'",
    );
    await eventually(() => errors.length > 0);
    expect(errors[0]).toMatchObject({ code: '57P01' });
    expect(Object.keys(errors[0] ?? {})).not.toContain('client');
    expect(await broken.query('select 1 as one')).toEqual([{ one: 1 }]);
  } finally {
    await broken.close();
    await other.close();
  }
});
