// One page of any table, newest first: keyset by creation time and id, filters bound as values.
import type { Queryable } from './pool.ts';

export interface PageRequest {
  limit: number;
  cursor: string | null;
  createdAfter: Date | null;
  createdBefore: Date | null;
  filters: Record<string, string[]>;
}

export interface Page<Row> {
  items: Row[];
  nextCursor: string | null;
}

export class InvalidCursorError extends Error {
  override name = 'InvalidCursorError';
}

const ONE_OF = ' = any(?)';

interface Source {
  table: string;
  columns: string;
  /** Name of a filter → a condition with one `?` for the list of its values. */
  conditions: Readonly<Record<string, string>>;
  /** Holds for every row of the list. */
  where?: string;
}

export async function listPage<Row extends { id: string; createdAt: Date }>(
  db: Queryable,
  { table, columns, conditions, where: always }: Source,
  /** Null for what belongs to no tenant. */
  tenant: string | null,
  { limit, cursor, createdAfter, createdBefore, filters }: PageRequest,
): Promise<Page<Row>> {
  const values: unknown[] = tenant === null ? [] : [tenant];
  const where = [tenant === null ? 'true' : 'tenant = $1', ...(always ? [always] : [])];
  const bind = (condition: string, value: unknown) => {
    values.push(value);
    where.push(condition.replace('?', `$${values.length}`));
  };
  for (const [name, wanted] of Object.entries(filters)) {
    const condition = conditions[name];
    if (!condition || wanted.length === 0) continue;
    // Of one value an index has the rows in the order of the list; of several all would be read and sorted.
    const isOne = wanted.length === 1 && condition.includes(ONE_OF);
    bind(isOne ? condition.replace(ONE_OF, ' = ?') : condition, isOne ? wanted[0] : wanted);
  }
  if (createdAfter) bind('created_at >= ?', createdAfter);
  if (createdBefore) bind('created_at < ?', createdBefore);
  if (cursor) {
    const after = decodeCursor(cursor);
    values.push(after.micros, after.id);
    where.push(
      `(created_at, id) < (timestamptz 'epoch' + $${values.length - 1}::float8 * interval '1 microsecond', $${values.length})`,
    );
  }
  const rows = await db.query<Row & { position?: string }>(
    `select ${columns}, ${POSITION} as "position" from ${table}
     where ${where.join(' and ')} order by created_at desc, id desc limit ${limit + 1}`,
    values,
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1)?.position;
  for (const item of items) delete item.position;
  return { items, nextCursor: rows.length > limit && last ? Buffer.from(last).toString('base64url') : null };
}

/** In microseconds, as PostgreSQL counts: a Date's milliseconds would skip rows at the end of a page. */
const POSITION = `(extract(epoch from created_at) * 1000000)::bigint || ' ' || id`;

function decodeCursor(cursor: string): { micros: string; id: string } {
  const [, micros, id] =
    /^(\d{1,16}) ([A-Za-z0-9_.:-]{1,200})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (!micros || !id) throw new InvalidCursorError('not a cursor of ours');
  return { micros, id };
}
