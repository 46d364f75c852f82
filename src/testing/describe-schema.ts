// The schema of a database as text: tables, constraints and indexes, the same for the same schema however it came about.
import type pg from 'pg';

export async function describeSchema(client: pg.Client): Promise<string> {
  const { rows: columns } = await client.query<{ table: string; line: string }>(`
    select c.relname as "table", format('  %I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
      case when a.attnotnull then ' not null' else '' end,
      coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')) as line
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
    order by c.relname, a.attnum`);
  const { rows: constraints } = await client.query<{ table: string; line: string }>(`
    select conrelid::regclass::text as "table", format('  constraint %I %s', conname, pg_get_constraintdef(oid)) as line
    from pg_constraint where connamespace = 'public'::regnamespace and conrelid <> 0 and contype <> 'n' order by 1, conname`);
  const { rows: indexes } = await client.query<{ line: string }>(`
    select indexdef as line from pg_indexes where schemaname = 'public' order by indexname`);
  const tables = [...new Set(columns.map(({ table }) => table))].map((table) => {
    const lines = [...columns, ...constraints].filter((row) => row.table === table).map(({ line }) => line);
    return `create table ${table} (\n${lines.join(',\n')}\n);`;
  });
  return `${[...tables, ...indexes.map(({ line }) => `${line};`)].join('\n\n')}\n`;
}
