import { expect, test } from 'vitest';

import { type ResolvedAddress, shareLookups } from './share-lookups.ts';

const HERE: ResolvedAddress[] = [{ address: '127.0.0.1', family: 4 }];

function createResolver() {
  const lookups: { hostname: string; answer: (addresses: ResolvedAddress[]) => void; fail: (error: Error) => void }[] =
    [];
  const resolve = (hostname: string) =>
    new Promise<ResolvedAddress[]>((answer, fail) => lookups.push({ hostname, answer, fail }));
  return { lookups, resolve };
}

test('calls to one name wait for one lookup, and the next call asks again', async () => {
  const { lookups, resolve } = createResolver();
  const addressesOf = shareLookups(resolve, 5_000);
  const both = Promise.all([addressesOf('a.example'), addressesOf('a.example')]);
  const other = addressesOf('b.example');
  expect(lookups.map(({ hostname }) => hostname)).toEqual(['a.example', 'b.example']);
  lookups.forEach(({ answer }) => answer(HERE));
  expect(await both).toEqual([HERE, HERE]);
  expect(await other).toEqual(HERE);
  void addressesOf('a.example');
  expect(lookups).toHaveLength(3);
});

test('a name that fails fails for all who waited, and is asked about again', async () => {
  const { lookups, resolve } = createResolver();
  const addressesOf = shareLookups(resolve, 5_000);
  const both = Promise.allSettled([addressesOf('a.example'), addressesOf('a.example')]);
  lookups[0]?.fail(new Error('ENOTFOUND'));
  expect(await both).toMatchObject([{ reason: { message: 'ENOTFOUND' } }, { reason: { message: 'ENOTFOUND' } }]);
  const again = addressesOf('a.example');
  lookups[1]?.answer(HERE);
  expect(await again).toEqual(HERE);
});

test('a lookup without an answer is given up with its name, and goes on to occupy one thread, not one per call', async () => {
  const { lookups, resolve } = createResolver();
  const addressesOf = shareLookups(resolve, 20);
  await expect(addressesOf('hung.example')).rejects.toThrow('no answer for hung.example after 0.02 s');
  await expect(addressesOf('hung.example')).rejects.toThrow('no answer for hung.example');
  expect(lookups).toHaveLength(1);
});
