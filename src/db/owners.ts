// Whose workflow an id of Temporal's is.
import type { Queryable } from './pool.ts';

/** Of jobs, runs and batches; an id that is missing belongs to none of them. */
export async function tenantsOf(db: Queryable, ids: string[]): Promise<Map<string, string>> {
  const rows = await db.query<{ id: string; tenant: string }>(
    `select id, tenant from jobs where id = any($1)
     union all select id, tenant from runs where id = any($1)
     union all select id, tenant from batches where id = any($1)`,
    [ids],
  );
  return new Map(rows.map(({ id, tenant }) => [id, tenant]));
}
