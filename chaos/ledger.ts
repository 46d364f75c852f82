// Reads what the oracle has written down: only what is new since the last look, for an hour of calls is much.
import { closeSync, fstatSync, openSync, readSync, truncateSync } from 'node:fs';

import type { Send } from './oracle.ts';
import type { World } from './world.ts';

interface Known {
  sends: Send[];
  bytes: number;
}

const known = new WeakMap<World['oracle'], Known>();
const NEWLINE = 10;

/** Only what this fault's own plans (`tags`) caused: the oracle serves all faults of a run. */
export function readSends({ oracle }: World, isOwn: (tag: string) => boolean): Send[] {
  return readNew(oracle).filter(({ tag }) => isOwn(tag));
}

/** As if nothing had been sent before. */
export function emptyLedger({ oracle }: World): void {
  truncateSync(oracle.file);
  known.delete(oracle);
}

function readNew(oracle: World['oracle']): Send[] {
  const before = known.get(oracle) ?? { sends: [], bytes: 0 };
  known.set(oracle, before);
  const handle = openSync(oracle.file, 'r');
  try {
    const fresh = Buffer.alloc(Math.max(0, fstatSync(handle).size - before.bytes));
    const read = fresh.subarray(0, readSync(handle, fresh, 0, fresh.length, before.bytes));
    // The last line may still be under way.
    const whole = read.subarray(0, read.lastIndexOf(NEWLINE) + 1);
    before.bytes += whole.length;
    for (const line of whole.toString().split('\n')) if (line !== '') before.sends.push(JSON.parse(line) as Send);
  } finally {
    closeSync(handle);
  }
  return before.sends;
}
