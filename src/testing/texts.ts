// Every text inside of something, bytes included: for proofs that a text is nowhere in it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Client } from '@temporalio/client';

import type { Queryable } from '../db/pool.ts';

export function textsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([name, held]) => `${name} ${textsOf(held)}`)
    .join('\n');
}

/** All rows, by table. */
export async function rowsOf(db: Queryable): Promise<Map<string, string>> {
  const tables = await db.query<{ name: string }>(
    "select quote_ident(tablename) as name from pg_tables where schemaname = 'public'",
  );
  const rows = await Promise.all(
    tables.map(async ({ name }) => {
      const found = await db.query<{ row: string }>(`select t::text as row from ${name} t`);
      return [name, found.map(({ row }) => row).join('\n')] as const;
    }),
  );
  return new Map(rows);
}

/** All histories, by workflow. */
export async function historiesOf(client: Client, query?: string): Promise<Map<string, string>> {
  const histories = new Map<string, string>();
  for await (const { workflowId, runId } of client.workflow.list(query ? { query } : {})) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    histories.set(`${workflowId} ${runId}`, textsOf(history.events));
  }
  return histories;
}

/** All files below a folder, by path. */
export function filesOf(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name)).toString('latin1')] as const),
  );
}

/** Which of these hold which of the markers. */
export function findMarkers(texts: Map<string, string>, markers: readonly string[]): string[] {
  return [...texts].flatMap(([place, text]) =>
    markers.filter((marker) => text.includes(marker)).map((marker) => `${place}: ${marker}`),
  );
}
