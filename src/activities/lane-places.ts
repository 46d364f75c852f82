// The places that one lane holds in the gate for calls: reserved before items are taken, so that none is taken in vain.
import type { Gate } from '../jobs/gate.ts';
import { tenantOfTask } from './tenant-of-task.ts';

const WAIT_MS = 1_000;

export interface LanePlaces {
  /** For calls that are to begin as soon as there are items. Waits for its turn; may be fewer, or none. */
  reserve(wanted: number): Promise<number>;
  /** What was reserved and has found no item. */
  giveBack(places: number): void;
  /** For a call that begins now; without a place it calls `again` when it is worth another try. */
  take(again: () => void): boolean;
  leave(): void;
  /** Others wait too: nothing is to be taken ahead. */
  areShort(): boolean;
  /** No call is under way any more. */
  end(): void;
}

export function createLanePlaces(gate: Gate): LanePlaces {
  let reserved = 0;
  let inLine = false;
  let ended = false;

  const giveBack = (places: number) => {
    const given = Math.min(reserved, Math.max(0, places));
    reserved -= given;
    if (given > 0) gate.leave(given);
  };

  const reserve = async (wanted: number) => {
    const places = await gate.enter(wanted, WAIT_MS, tenantOfTask());
    reserved += places;
    if (ended) giveBack(places);
    return places;
  };

  const standInLine = async (again: () => void) => {
    inLine = true;
    await reserve(1);
    inLine = false;
    if (!ended) again();
  };

  return {
    reserve,
    giveBack,
    take(again) {
      if (reserved > 0) {
        reserved -= 1;
        return true;
      }
      if (gate.tryEnter()) return true;
      if (!inLine) void standInLine(again);
      return false;
    },
    leave: () => gate.leave(),
    areShort: () => inLine || gate.isFull(),
    end() {
      ended = true;
      giveBack(reserved);
    },
  };
}
