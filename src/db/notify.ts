// Tells every process that listens; for rare events only, since each NOTIFY takes a lock at commit.
import type { Queryable } from './pool.ts';

export async function notify(db: Queryable, channel: string, payload: string): Promise<void> {
  await db.query('select pg_notify($1, $2)', [channel, payload]);
}

/** One statement however many there are. */
export async function notifyEach(db: Queryable, channel: string, payloads: string[]): Promise<void> {
  if (payloads.length > 0) await db.query('select pg_notify($1, unnest($2::text[]))', [channel, payloads]);
}
