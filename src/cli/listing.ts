// Reads as much of a list as was asked for, over pages.
import type { List } from '../client/index.ts';
import type { Options } from './command.ts';
import { parseCount } from './input.ts';

const MAX_PAGE = 200;
const DEFAULT_LIMIT = 50;

export const listOptions = {
  limit: { type: 'string', value: 'N', about: `at most so many, newest first (${DEFAULT_LIMIT})` },
} as const satisfies Options;

export async function readList<Item>(
  limit: string | undefined,
  open: (pageSize: number) => List<Item>,
): Promise<Item[]> {
  const wanted = parseCount(limit, '--limit') ?? DEFAULT_LIMIT;
  const items: Item[] = [];
  for await (const item of open(Math.min(wanted, MAX_PAGE))) {
    if (items.push(item) === wanted) break;
  }
  return items;
}
