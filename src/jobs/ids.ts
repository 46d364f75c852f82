// Ids: a prefix that says what it is, then a UUID of version 7, so that they sort by time.
import { randomFillSync } from 'node:crypto';

import { V7Generator } from 'uuidv7';

export type IdPrefix = 'job' | 'run' | 'bat' | 'lane' | 'dl' | 'att' | 'bulk' | 'msg' | 'key' | 'aud';

/** Drawn for many at once: a system call for every other id is much of what ten thousand of them cost. */
const drawn = new Uint32Array(1_024);
let used = drawn.length;

const generator = new V7Generator({ nextUint32 });

export function newId(prefix: IdPrefix): string {
  // Written digit by digit a string is a chain of strings, which is slow to read and to collect.
  return `${prefix}_${Buffer.from(generator.generate().bytes.buffer).toString('hex')}`;
}

export function newUuid(): string {
  return generator.generate().toString();
}

function nextUint32(): number {
  if (used === drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  return drawn[used++] ?? 0;
}
