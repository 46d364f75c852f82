// Group commit: what arrives while a write is under way waits for its end and is written together, in one statement.
//
// Alone, an item is written at once: at low load nobody waits for anybody. Each caller hears of its own row only. What a
// statement for many refuses is written one by one, so that the fault of one is not the fault of all. That the store is
// away is told to all who wait: they need not find out one group after the other.
import { StoreUnavailableError } from './pool.ts';

export interface Gathered<Item, Result> {
  one(item: Item): Promise<Result>;
  /** In the order of the items. */
  many(items: Item[]): Promise<Result[]>;
  maxItems: number;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

export function gather<Item, Result>({ one, many, maxItems }: Gathered<Item, Result>): (item: Item) => Promise<Result> {
  const waiting: Waiting<Item, Result>[] = [];
  let writing = false;

  const fail = (group: Waiting<Item, Result>[], error: unknown) => {
    for (const { reject } of group) reject(error);
    if (error instanceof StoreUnavailableError) for (const { reject } of waiting.splice(0)) reject(error);
  };

  const writeAlone = (alone: Waiting<Item, Result>) =>
    one(alone.item).then(alone.resolve, (error: unknown) => fail([alone], error));

  const write = async (group: Waiting<Item, Result>[]): Promise<void> => {
    if (group.length === 1) return void (await Promise.all(group.map(writeAlone)));
    try {
      const results = await many(group.map(({ item }) => item));
      group.forEach(({ resolve }, at) => resolve(results[at] as Result));
    } catch (error) {
      if (error instanceof StoreUnavailableError) fail(group, error);
      else await Promise.all(group.map(writeAlone));
    }
  };

  const writeAll = async (): Promise<void> => {
    writing = true;
    while (waiting.length > 0) await write(waiting.splice(0, maxItems));
    writing = false;
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!writing) void writeAll();
    });
}
