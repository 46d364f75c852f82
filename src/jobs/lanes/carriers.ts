// The shared lane: jobs that come while others are being started gather, and start together in one carrier.
//
// A carrier is boarding (takes riders), departing (takes no more; waits until the rows of its riders are committed, then
// is started) and gone: what it does from then on is in workflows/carrier.ts. Of each tenant and priority one at a time
// departs, the others board meanwhile. A job that finds none departing is alone: it has a workflow of its own, at once.
// What a crash leaves behind here, rows whose carrier never started, is found by the relay.
import { setTimeout as sleep } from 'node:timers/promises';

import { carrierOf } from '../../contract/temporal.ts';
import type { NewJob } from '../../db/jobs.ts';
import { newId } from '../ids.ts';

/** Also how many of its calls may be under way at once: no rider waits for another's call. */
export const MAX_RIDERS = 100;
/** Between two departures while there is company: fewer carriers, each with more riders. */
const PACE_MS = 100;
/** When nobody has asked for a lane for so long, it is forgotten. */
const MAX_IDLE_LANES = 1_000;

export type Rider = Pick<NewJob, 'tenant' | 'spec'>;

export interface Ride {
  /** Null: alone, in a workflow of its own. */
  carrier: string | null;
  /** Call when the row is committed (`true`), or will not be. Who is alone says also when its start is over. */
  settle(boarded: boolean, started?: Promise<void>): void;
}

interface Carrier {
  id: string | null;
  rider: Rider;
  riders: number;
  boarded: number;
  unsettled: number;
  onSettled: () => void;
  started: Promise<void> | undefined;
}

interface Lane {
  boarding: Carrier[];
  departing: boolean;
}

export interface CarriersDeps {
  /** Starts the workflow of a carrier, or of the job that is alone; does not throw. */
  start(carrierId: string, rider: Rider, riders: number): Promise<void>;
}

export type Carriers = ReturnType<typeof createCarriers>;

export function createCarriers({ start }: CarriersDeps) {
  const lanes = new Map<string, Lane>();

  const depart = async (lane: Lane): Promise<void> => {
    lane.departing = true;
    let pausing = Promise.resolve();
    for (let carrier = lane.boarding.shift(); carrier; carrier = lane.boarding.shift()) {
      await settled(carrier);
      await carrier.started;
      if (carrier.id !== null && carrier.boarded > 0) {
        pausing = sleep(PACE_MS);
        await start(carrier.id, carrier.rider, carrier.boarded);
      }
      // Full ones do not wait.
      if (lane.boarding.length < 2) await pausing;
    }
    lane.departing = false;
  };

  return {
    board(rider: Rider): Ride {
      const lane = laneOf(lanes, rider);
      const alone = !lane.departing && lane.boarding.length === 0;
      let carrier = lane.boarding.at(-1);
      if (!carrier || carrier.riders === MAX_RIDERS) {
        carrier = newCarrier(alone ? null : newId('lane'), rider);
        lane.boarding.push(carrier);
      }
      carrier.riders += 1;
      carrier.unsettled += 1;
      if (!lane.departing) void depart(lane);
      return {
        carrier: carrier.id && carrierOf(carrier.id, 0),
        settle: (boarded, started) => settle(carrier, boarded, started),
      };
    },
    /** Resolves when nobody is boarding any more. */
    async drain(): Promise<void> {
      while ([...lanes.values()].some(({ departing }) => departing)) await sleep(PACE_MS);
    },
  };
}

function laneOf(lanes: Map<string, Lane>, { tenant, spec }: Rider): Lane {
  // Tenants take turns, and the first in importance is the first to run: neither may share its carrier with others.
  const name = `${spec.priority} ${tenant}`;
  const lane = lanes.get(name) ?? { boarding: [], departing: false };
  if (lanes.size >= MAX_IDLE_LANES) {
    for (const [other, { departing }] of lanes) if (!departing) lanes.delete(other);
  }
  lanes.set(name, lane);
  return lane;
}

function newCarrier(id: string | null, rider: Rider): Carrier {
  return { id, rider, riders: 0, boarded: 0, unsettled: 0, onSettled: () => {}, started: undefined };
}

function settle(carrier: Carrier, boarded: boolean, started?: Promise<void>): void {
  carrier.started = started;
  carrier.unsettled -= 1;
  if (boarded) carrier.boarded += 1;
  if (carrier.unsettled === 0) carrier.onSettled();
}

async function settled(carrier: Carrier): Promise<void> {
  if (carrier.unsettled > 0) await new Promise<void>((resolve) => (carrier.onSettled = resolve));
}
