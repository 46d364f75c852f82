// The shared lane: jobs that come while others are on their way share a carrier, one workflow for the first attempts of all.
//
// Of each tenant and priority one carrier at most is open. It opens when a job comes while another is being started, its
// workflow starts when the first rider's row is committed, and until it closes (full, over, or nobody came for a while)
// a rider needs no start: the lane of the carrier looks for new ones as long as any may come, and longer. A job that
// finds neither an open carrier nor anybody being started is alone: it has a workflow of its own, at once.
// What a crash leaves behind here, or who is committed too late, is found by the relay.
import { type CarrierInput, carrierOf } from '../../contract/temporal.ts';
import type { NewJob } from '../../db/jobs.ts';
import { newId } from '../ids.ts';

/** Also how many of its calls may be under way at once: no rider waits for another's call. */
export const MAX_RIDERS = 500;
/** Short enough that a killed worker, whose lane is missed only after a while, keeps few waiting. */
const OPEN_MS = 2_000;
const QUIET_MS = 250;
/** From boarding until the row is committed, and a little more. */
const COMMIT_MS = 1_000;
/** When nobody has asked for a lane for so long, it is forgotten. */
const MAX_IDLE_LANES = 1_000;

/** A lane begins after its carrier has opened: what it waits for counts from then. */
export const CARRIER_INPUT: CarrierInput = {
  concurrency: MAX_RIDERS,
  openForMs: OPEN_MS + COMMIT_MS,
  quietMs: QUIET_MS + COMMIT_MS,
};

export type Rider = Pick<NewJob, 'tenant' | 'spec'>;

export interface Ride {
  /** Null: alone, in a workflow of its own. */
  carrier: string | null;
  /** Call when the row is committed (`true`), or will not be. Who is alone says also when its start is over. */
  settle(boarded: boolean, started?: Promise<void>): void;
}

interface Carrier {
  id: string;
  riders: number;
  openedAt: number;
  lastAt: number;
  isStarted: boolean;
}

interface Lane {
  carrier: Carrier | null;
  /** Somebody who was alone. */
  isStarting: boolean;
}

export interface CarriersDeps {
  /** Starts the workflow of a carrier; does not throw. */
  start(carrierId: string, rider: Rider): Promise<void>;
}

export type Carriers = ReturnType<typeof createCarriers>;

export function createCarriers({ start }: CarriersDeps) {
  const lanes = new Map<string, Lane>();
  const starts = new Set<Promise<void>>();

  const begin = (carrier: Carrier, rider: Rider) => {
    carrier.isStarted = true;
    const starting = start(carrier.id, rider).finally(() => starts.delete(starting));
    starts.add(starting);
  };

  const rideAlone = (lane: Lane): Ride => {
    lane.isStarting = true;
    const over = () => void (lane.isStarting = false);
    return { carrier: null, settle: (_boarded, started = Promise.resolve()) => void started.then(over, over) };
  };

  return {
    board(rider: Rider): Ride {
      const lane = laneOf(lanes, rider);
      const now = performance.now();
      const isFull = lane.carrier?.riders === MAX_RIDERS && now < lane.carrier.lastAt + QUIET_MS;
      if (lane.carrier && !isOpen(lane.carrier, now)) lane.carrier = null;
      if (!lane.carrier && !lane.isStarting && !isFull) return rideAlone(lane);
      const carrier = (lane.carrier ??= { id: newId('lane'), riders: 0, openedAt: now, lastAt: now, isStarted: false });
      carrier.riders += 1;
      carrier.lastAt = now;
      return {
        carrier: carrierOf(carrier.id, 0),
        settle: (boarded) => void (boarded && !carrier.isStarted && begin(carrier, rider)),
      };
    },
    /** Resolves when no start is under way any more. */
    async drain(): Promise<void> {
      await Promise.all(starts);
    },
  };
}

function isOpen({ riders, openedAt, lastAt }: Carrier, now: number): boolean {
  return riders < MAX_RIDERS && now < openedAt + OPEN_MS && now < lastAt + QUIET_MS;
}

function laneOf(lanes: Map<string, Lane>, { tenant, spec }: Rider): Lane {
  // Tenants take turns, and the first in importance is the first to run: neither may share its carrier with others.
  const name = `${spec.priority} ${tenant}`;
  const lane = lanes.get(name) ?? { carrier: null, isStarting: false };
  if (lanes.size >= MAX_IDLE_LANES) {
    for (const [other, { isStarting }] of lanes) if (!isStarting) lanes.delete(other);
  }
  lanes.set(name, lane);
  return lane;
}
