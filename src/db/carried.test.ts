import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { createTestDatabase } from '../testing/database.ts';
import { claimCarried } from './carried.ts';
import { createDatabase, type Database } from './pool.ts';

let files: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Database;
beforeAll(async () => {
  files = await createTestDatabase(inject('databaseUrl'), inject('repoRoot'));
  db = createDatabase({ databaseUrl: files.databaseUrl });
});
afterAll(async () => {
  await db.close();
  await files.drop();
});

test('a job that came while its claim was under way has not begun before it was created', async () => {
  const claimed = await db.transaction(async (tx) => {
    await tx.query('select now()');
    await db.query(
      `insert into jobs (id, tenant, status, spec, host, labels, outbound_key, carrier, created_at, updated_at)
       values ('late', 'default', 'queued', '{}', 'h', '{}', 'k', 'carrier', clock_timestamp(), clock_timestamp())`,
    );
    return claimCarried({ ...db, bulk: tx }, { carrier: 'carrier', attemptIds: ['attempt'], worker: 'w' });
  });
  expect(claimed.map(({ id }) => id)).toEqual(['late']);
  const inOrder = 'select created_at <= started_at and created_at <= updated_at as "isRight" from jobs';
  expect(await db.query(inOrder)).toEqual([{ isRight: true }]);
});
