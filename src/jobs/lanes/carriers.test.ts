// Who boards which carrier, and when its workflow starts.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { JobSpec } from '../../contract/job.ts';
import { createCarriers, MAX_RIDERS, type Ride } from './carriers.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const rider = (tenant = 'one', priority = 3) => ({ tenant, spec: { priority } as JobSpec });

function startedCarriers() {
  const started: string[] = [];
  const carriers = createCarriers({ start: async (id) => void started.push(`${id}/0`) });
  return { started, carriers };
}

const settleAll = (rides: Ride[]) => rides.forEach((ride) => ride.settle(true));
const namesOf = (rides: Ride[]) => new Set(rides.map(({ carrier }) => carrier));

/** The lane with somebody on the way: who comes now has company. */
function busyLane() {
  const made = startedCarriers();
  const first = made.carriers.board(rider());
  return {
    ...made,
    first,
    board: (count: number) => Array.from({ length: count }, () => made.carriers.board(rider())),
  };
}

it('who comes alone is alone; who comes meanwhile rides together, in a workflow that starts with the first row', () => {
  const { started, first, board } = busyLane();
  const others = board(3);
  expect(first.carrier).toBeNull();
  expect(namesOf(others).size).toBe(1);
  first.settle(true);
  others[0]?.settle(false);
  expect(started).toEqual([]);
  settleAll(others.slice(1));
  expect(started).toEqual([others[0]?.carrier]);
});

it('whoever comes while the carrier is open needs no start', async () => {
  const { started, first, board } = busyLane();
  const early = board(2);
  first.settle(true, Promise.resolve());
  settleAll(early);
  await vi.advanceTimersByTimeAsync(200);
  const late = board(2);
  settleAll(late);
  expect(namesOf([...early, ...late]).size).toBe(1);
  expect(started).toHaveLength(1);
});

it('a carrier closes when nobody has come for a while, and after its time: then who comes alone is alone again', async () => {
  const { carriers, first, board } = busyLane();
  board(1);
  first.settle(true, Promise.resolve());
  await vi.advanceTimersByTimeAsync(300);
  const next = carriers.board(rider());
  expect(next.carrier).toBeNull();
  const riders = board(1);
  next.settle(true, Promise.resolve());
  for (let waited = 0; waited < 2_400; waited += 200) {
    await vi.advanceTimersByTimeAsync(200);
    riders.push(...board(1));
  }
  expect(riders.filter(({ carrier }) => carrier === null)).toHaveLength(1);
});

it('while somebody is being started nobody is alone', async () => {
  const { carriers, first } = busyLane();
  let isOver = () => {};
  first.settle(true, new Promise((resolve) => (isOver = resolve)));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(carriers.board(rider()).carrier).not.toBeNull();
  isOver();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(carriers.board(rider()).carrier).toBeNull();
});

it('a carrier that nobody boarded in the end does not start', async () => {
  const { started, carriers, first, board } = busyLane();
  for (const ride of [first, ...board(1)]) ride.settle(false);
  await carriers.drain();
  expect(started).toEqual([]);
});

it('a carrier has a size, and the next one begins at once', () => {
  const { started, board } = busyLane();
  const rides = board(2 * MAX_RIDERS + 10);
  settleAll(rides);
  const sizes = [...namesOf(rides)].map((name) => rides.filter(({ carrier }) => carrier === name).length);
  expect(sizes).toEqual([MAX_RIDERS, MAX_RIDERS, 10]);
  expect(started).toHaveLength(3);
});

it('neither tenants nor priorities share a carrier', () => {
  const { started, carriers } = startedCarriers();
  const rides = [rider('one', 1), rider('one', 2), rider('two', 1)].flatMap((one) => [
    carriers.board(one),
    carriers.board(one),
    carriers.board(one),
  ]);
  settleAll(rides);
  expect(started).toHaveLength(3);
});
