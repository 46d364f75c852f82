// Group commit: who gathers, and what each caller is told.
import { expect, it } from 'vitest';

import { gather } from './gather.ts';
import { StoreUnavailableError } from './pool.ts';

function recorder(many: (items: number[]) => Promise<string[]>) {
  const groups: number[][] = [];
  const write = gather<number, string>({
    one: async (item) => {
      groups.push([item]);
      if (item < 0) throw new Error(`${item} is refused`);
      return `${item}`;
    },
    many: (items) => {
      groups.push(items);
      return many(items);
    },
    maxItems: 3,
  });
  return { groups, write };
}

const asTexts = async (items: number[]) => items.map(String);

it('writes the first at once and those that come meanwhile together, each told its own result', async () => {
  const { groups, write } = recorder(asTexts);
  expect(await Promise.all([1, 2, 3, 4, 5].map(write))).toEqual(['1', '2', '3', '4', '5']);
  expect(groups).toEqual([[1], [2, 3, 4], [5]]);
  expect(await write(6)).toBe('6');
});

it('a row that the statement for many refuses is refused alone', async () => {
  const { write } = recorder(async () => {
    throw new Error('one of them is bad');
  });
  const results = await Promise.allSettled([1, 2, -3, 4].map(write));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
});

it('a store that is away is told to all who wait, and the next group is written', async () => {
  let away = true;
  const { groups, write } = recorder(async (items) => {
    if (away) throw new StoreUnavailableError('gone');
    return asTexts(items);
  });
  const results = await Promise.allSettled([1, 2, 3, 4, 5].map(write));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected', 'rejected']);
  away = false;
  expect(await Promise.all([6, 7, 8].map(write))).toEqual(['6', '7', '8']);
  expect(groups).toEqual([[1], [2, 3, 4], [6], [7, 8]]);
});
