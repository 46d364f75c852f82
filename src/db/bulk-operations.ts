// Bulk operations and their items: counts are those of the items, moved in the same statement.
import { DEAD_LETTER_FILTERS } from './dead-letters.ts';
import type { Queryable } from './pool.ts';

export interface BulkRow {
  id: string;
  status: 'running' | 'finished' | 'aborted';
  total: number;
  done: number;
  skipped: number;
  failed: number;
  createdAt: Date;
  finishedAt: Date | null;
}

const COLUMNS = `id, status, total, done, skipped, failed, created_at as "createdAt", finished_at as "finishedAt"`;

interface NewBulk {
  id: string;
  tenant: string;
  request: { ids: string[] | null; filters: Record<string, string[]> | null; patch: unknown; maxPerSecond: number };
}

/** The list is taken now: what dies later is not redriven by an operation that was asked for before. */
export async function insertBulk(tx: Queryable, { id, tenant, request }: NewBulk): Promise<BulkRow> {
  await tx.query(
    `insert into bulk_operations (id, tenant, status, request, total, created_at)
     values ($1, $2, 'running', $3::jsonb, 0, now())`,
    [id, tenant, JSON.stringify(request)],
  );
  const values: unknown[] = [id, tenant];
  const rows = await tx.query<BulkRow>(
    `with items as (
       insert into bulk_items (bulk_id, position, dead_letter_id) ${itemsOf(request, values)} returning 1)
     update bulk_operations set total = (select count(*) from items) where id = $1 and tenant = $2 returning ${COLUMNS}`,
    values,
  );
  const row = rows[0];
  if (!row) throw new Error('a bulk operation was not inserted');
  return row;
}

function itemsOf({ ids, filters }: NewBulk['request'], values: unknown[]): string {
  if (ids) {
    values.push(ids);
    return `select $1, position::int, id from unnest($${values.length}::text[]) with ordinality as given (id, position)`;
  }
  const conditions = Object.entries(filters ?? {}).map(([name, wanted]) => {
    values.push(wanted);
    return DEAD_LETTER_FILTERS[name as keyof typeof DEAD_LETTER_FILTERS].replace('?', `$${values.length}`);
  });
  const where = ['tenant = $2', 'redriven_as is null', ...conditions].join(' and ');
  return `select $1, (row_number() over (order by created_at, id))::int, id from dead_letters where ${where}`;
}

export async function findBulk(db: Queryable, tenant: string, id: string): Promise<BulkRow | null> {
  const rows = await db.query<BulkRow>(`select ${COLUMNS} from bulk_operations where tenant = $1 and id = $2`, [
    tenant,
    id,
  ]);
  return rows[0] ?? null;
}

export async function abortBulk(db: Queryable, tenant: string, id: string): Promise<BulkRow | null> {
  const rows = await db.query<BulkRow>(
    `update bulk_operations set status = 'aborted', finished_at = now()
     where tenant = $1 and id = $2 and status = 'running' returning ${COLUMNS}`,
    [tenant, id],
  );
  return rows[0] ?? null;
}

/** Null when the operation is not running (any more). */
export async function nextBulkItems(
  db: Queryable,
  id: string,
): Promise<{ tenant: string; patch: unknown; items: { position: number; deadLetterId: string }[] } | null> {
  const [operation] = await db.query<{ tenant: string; patch: unknown; limit: number }>(
    `select tenant, request -> 'patch' as patch, (request ->> 'maxPerSecond')::int as "limit" from bulk_operations where id = $1 and status = 'running'`,
    [id],
  );
  if (!operation) return null;
  const items = await db.query<{ position: number; deadLetterId: string }>(
    `select position, dead_letter_id as "deadLetterId" from bulk_items
     where bulk_id = $1 and outcome is null order by position limit $2`,
    [id, operation.limit],
  );
  return { ...operation, items };
}

export async function recordBulkItem(
  db: Queryable,
  id: string,
  position: number,
  outcome: 'done' | 'skipped' | 'failed',
): Promise<void> {
  await db.query(
    `with item as (
       update bulk_items set outcome = $3 where bulk_id = $1 and position = $2 and outcome is null returning outcome)
     update bulk_operations set done = done + ($3 = 'done')::int, skipped = skipped + ($3 = 'skipped')::int,
       failed = failed + ($3 = 'failed')::int
     where id = $1 and exists (select 1 from item)`,
    [id, position, outcome],
  );
}

export async function finishBulk(db: Queryable, id: string): Promise<void> {
  await db.query(
    `update bulk_operations set status = 'finished', finished_at = now() where id = $1 and status = 'running'`,
    [id],
  );
}

export async function runningBulks(db: Queryable): Promise<{ id: string; tenant: string }[]> {
  return db.query(`select id, tenant from bulk_operations where status = 'running' limit 100`);
}
