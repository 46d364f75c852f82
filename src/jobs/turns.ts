// A line in which tenants take turns, however many of one stand in it.
export interface Turns<Item> {
  join(tenant: string, item: Item): void;
  leave(tenant: string, item: Item): void;
  /** The one whose turn it is, taken out of the line; undefined when nobody waits. */
  next(): Item | undefined;
  isEmpty(): boolean;
}

export function createTurns<Item>(): Turns<Item> {
  /** The tenant whose turn it is stands first. */
  const lines = new Map<string, Set<Item>>();
  return {
    join(tenant, item) {
      const line = lines.get(tenant);
      if (line) line.add(item);
      else lines.set(tenant, new Set([item]));
    },
    leave(tenant, item) {
      const line = lines.get(tenant);
      line?.delete(item);
      if (line?.size === 0) lines.delete(tenant);
    },
    next() {
      const [first] = lines;
      if (!first) return undefined;
      const [tenant, line] = first;
      const [item] = line;
      lines.delete(tenant);
      if (item !== undefined) line.delete(item);
      if (line.size > 0) lines.set(tenant, line);
      return item;
    },
    isEmpty: () => lines.size === 0,
  };
}
