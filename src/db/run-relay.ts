// What the relay asks of the runs table.
import type { Queryable } from './pool.ts';
import { RUN_COLUMNS, type RunRow } from './runs.ts';

/** Takes runs that are due for a comparison with Temporal and puts off their next check. */
export async function takeDueRuns(db: Queryable, limit: number): Promise<RunRow[]> {
  return db.query<RunRow>(
    `update runs set check_at = now() + interval '30 seconds'
     where id in (select id from runs where check_at <= now() order by check_at limit $1 for update skip locked)
     returning ${RUN_COLUMNS}`,
    [limit],
  );
}

/** `checkAt` null: nothing left to compare. */
export async function setRunCheck(db: Queryable, id: string, checkAt: Date | null, seen: boolean): Promise<void> {
  await db.query(
    `update runs set check_at = case when finished_at is null or $2::timestamptz is null then $2::timestamptz end,
       seen_in_temporal = seen_in_temporal or $3
     where id = $1 and (finished_at is null or $2::timestamptz is null)`,
    [id, checkAt, seen],
  );
}

/** Runs whose workflow should have read what the API changed by now. */
export async function takeUnheardRuns(db: Queryable, limit: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `update runs set nudged_at = now()
     where id in (select id from runs where nudged_at < now() - interval '5 seconds' and finished_at is null
       order by nudged_at limit $1 for update skip locked)
     returning id`,
    [limit],
  );
  return rows.map(({ id }) => id);
}

/** Open runs past their deadline; their own workflow is late or not there. */
export async function overdueRuns(db: Queryable, limit: number): Promise<RunRow[]> {
  return db.query<RunRow>(
    `select ${RUN_COLUMNS} from runs where finished_at is null and deadline_at < now() - interval '5 seconds'
     order by deadline_at limit $1`,
    [limit],
  );
}

export async function openRunsAmong(db: Queryable, ids: string[]): Promise<RunRow[]> {
  return db.query<RunRow>(`select ${RUN_COLUMNS} from runs where id = any($1) and finished_at is null`, [ids]);
}

export async function markRunsSeen(db: Queryable, ids: string[]): Promise<void> {
  await db.query('update runs set seen_in_temporal = true where id = any($1) and not seen_in_temporal', [ids]);
}
