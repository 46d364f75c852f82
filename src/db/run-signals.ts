// Signals as they came in: kept until a step takes them, each one once, in order.
import type { Queryable } from './pool.ts';

/** False when the run is final, or not of this tenant. */
export async function insertSignal(
  db: Queryable,
  { tenant, id }: { tenant: string; id: string },
  name: string,
  payload: unknown,
): Promise<boolean> {
  const rows = await db.query(
    `with run as (
       update runs set nudged_at = now() where id = $1 and tenant = $4 and finished_at is null returning id)
     insert into run_signals (run_id, name, payload, created_at) select id, $2, $3::jsonb, now() from run returning id`,
    [id, name, JSON.stringify(payload ?? null), tenant],
  );
  return rows.length === 1;
}

/** The same one again for the same step: asking twice takes one. */
export async function takeSignal(
  db: Queryable,
  { runId, name, stepId }: { runId: string; name: string; stepId: string },
): Promise<{ payload: unknown } | null> {
  const rows = await db.query<{ payload: unknown }>(
    `update run_signals set taken_by = $3
     where id = (select id from run_signals
       where run_id = $1 and name = $2 and (taken_by is null or taken_by = $3) order by taken_by, id limit 1)
     returning payload`,
    [runId, name, stepId],
  );
  return rows[0] ?? null;
}
