// The schema as the migrations make it, kept in schema.sql so that a change is seen in review (`npm run schema:dump`).
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { createTestDatabase } from '../testing/database.ts';
import { describeSchema } from '../testing/describe-schema.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
beforeAll(async () => {
  database = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
});
afterAll(() => database.drop());

test('schema.sql is what the migrations make', async () => {
  const client = new pg.Client({ connectionString: database.databaseUrl });
  await client.connect();
  const dump = await describeSchema(client).finally(() => client.end());
  await expect(dump).toMatchFileSnapshot('schema.sql');
});
