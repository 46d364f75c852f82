// After a fault that did not end as it should: the stores have to be there for the next one.
import { Connection } from '@temporalio/client';

import { bounded } from './bounded.ts';
import type { Server } from './servers.ts';
import { withDatabase } from './sql.ts';
import type { World } from './world.ts';

const ANSWERS_WITHIN_MS = 5_000;
const STOPS_WITHIN_MS = 20_000;
const STARTS_WITHIN_MS = 60_000;

export async function mend({ postgres, temporal }: World): Promise<void> {
  await mendOne(postgres, () => withDatabase(postgres.address, (client) => client.query('select 1')));
  await mendOne(temporal, async () => (await Connection.connect({ address: temporal.address })).close());
}

async function mendOne(server: Server, ask: () => Promise<unknown>): Promise<void> {
  const isThere = await bounded(ask(), ANSWERS_WITHIN_MS, 'a store').then(
    () => true,
    () => false,
  );
  if (isThere) return;
  await bounded(server.stop(), STOPS_WITHIN_MS, 'a store to stop').catch(() => {});
  await bounded(server.start(), STARTS_WITHIN_MS, 'a store to start');
}
