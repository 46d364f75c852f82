// A list as an async iterable that reads the next page only when it is needed.
import { type Query } from './query.ts';
import type { Transport } from './transport.ts';
import type { CallOptions, List, Page } from './types.ts';

export function createList<Item>(
  transport: Transport,
  path: string,
  filter: object = {},
  options?: CallOptions,
): List<Item> {
  const page = (cursor?: string | null) =>
    transport.json<Page<Item>>({ method: 'GET', path, query: { ...(filter as Query), cursor } }, options);
  return {
    page,
    async *[Symbol.asyncIterator]() {
      let cursor: string | null = null;
      do {
        const { items, nextCursor }: Page<Item> = await page(cursor);
        yield* items;
        cursor = nextCursor;
      } while (cursor !== null);
    },
  };
}
