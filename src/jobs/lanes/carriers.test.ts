// Who boards which carrier, and when it departs.
import { expect, it } from 'vitest';

import type { JobSpec } from '../../contract/job.ts';
import { eventually } from '../../testing/api.ts';
import { createCarriers, MAX_RIDERS, type Ride } from './carriers.ts';

const rider = (tenant = 'one', priority = 3) => ({ tenant, spec: { priority } as JobSpec });

function startedCarriers() {
  const started: { id: string; riders: number }[] = [];
  const carriers = createCarriers({
    start: async (id, _rider, riders) => void started.push({ id: `${id}/0`, riders }),
  });
  return { started, carriers };
}

const settleAll = (rides: Ride[]) => rides.forEach((ride) => ride.settle(true));

it('who comes alone is alone; who comes meanwhile rides together, when the rows of all are there', async () => {
  const { started, carriers } = startedCarriers();
  const first = carriers.board(rider());
  const others = [carriers.board(rider()), carriers.board(rider()), carriers.board(rider())];
  expect(first.carrier).toBeNull();
  expect(new Set(others.map(({ carrier }) => carrier)).size).toBe(1);
  first.settle(true);
  settleAll(others.slice(1));
  expect(started).toEqual([]);
  others[0]?.settle(false);
  await eventually(() => started.length === 1);
  expect(started).toEqual([{ id: others[0]?.carrier, riders: 2 }]);
  await carriers.drain();
  expect(carriers.board(rider()).carrier).toBeNull();
});

it('a carrier that nobody boarded in the end does not start', async () => {
  const { started, carriers } = startedCarriers();
  const rides = [carriers.board(rider()), carriers.board(rider())];
  for (const ride of rides) ride.settle(false);
  await carriers.drain();
  expect(started).toEqual([]);
});

it('a carrier has a size', async () => {
  const { started, carriers } = startedCarriers();
  const rides = Array.from({ length: 2 * MAX_RIDERS + 11 }, () => carriers.board(rider()));
  settleAll(rides);
  await carriers.drain();
  expect(started.map(({ riders }) => riders)).toEqual([MAX_RIDERS, MAX_RIDERS, 10]);
});

it('neither tenants nor priorities share a carrier', async () => {
  const { started, carriers } = startedCarriers();
  const rides = [rider('one', 1), rider('one', 2), rider('two', 1)].flatMap((one) => [
    carriers.board(one),
    carriers.board(one),
    carriers.board(one),
  ]);
  settleAll(rides);
  await carriers.drain();
  expect(started.map(({ riders }) => riders)).toEqual([2, 2, 2]);
});
