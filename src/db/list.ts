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
  tenant: string,
  { limit, cursor, createdAfter, createdBefore, filters }: PageRequest,
): Promise<Page<Row>> {
  const values: unknown[] = [tenant];
  const where = ['tenant = $1', ...(always ? [always] : [])];
  const bind = (condition: string, value: unknown) => {
    values.push(value);
    where.push(condition.replace('?', `$${values.length}`));
  };
  for (const [name, wanted] of Object.entries(filters)) {
    const condition = conditions[name];
    if (condition && wanted.length > 0) bind(condition, wanted);
  }
  if (createdAfter) bind('created_at >= ?', createdAfter);
  if (createdBefore) bind('created_at < ?', createdBefore);
  if (cursor) {
    const after = decodeCursor(cursor);
    values.push(after.createdAt, after.id);
    where.push(`(created_at, id) < ($${values.length - 1}, $${values.length})`);
  }
  const rows = await db.query<Row>(
    `select ${columns} from ${table} where ${where.join(' and ')} order by created_at desc, id desc limit ${limit + 1}`,
    values,
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last ? encodeCursor(last) : null };
}

function encodeCursor({ createdAt, id }: { createdAt: Date; id: string }): string {
  return Buffer.from(`${createdAt.toISOString()} ${id}`).toString('base64url');
}

function decodeCursor(cursor: string): { createdAt: Date; id: string } {
  const [time = '', id = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  const createdAt = new Date(time);
  if (Number.isNaN(createdAt.getTime()) || !/^[A-Za-z0-9_.:-]{1,200}$/.test(id))
    throw new InvalidCursorError('not a cursor of ours');
  return { createdAt, id };
}
