// What becomes of a tick while earlier runs of its schedule have not ended.
import type { Overlap } from '../../contract/schedule.ts';
import type { OpenRun } from '../../db/ticks.ts';

export type OverlapVerdict =
  /** `after`: the run that must end first, or null to start at once. */
  { kind: 'run'; after: OpenRun | null } | { kind: 'skip'; reason: string } | { kind: 'cancelFirst'; runs: OpenRun[] };

/** So that a schedule that is slower than its interval does not pile up for ever. */
const MAX_BUFFERED = 1_000;

/** `open`: newest first. */
export function decideOverlap(overlap: Overlap, open: OpenRun[]): OverlapVerdict {
  const newest = open[0];
  if (!newest || overlap === 'allowAll') return { kind: 'run', after: null };
  switch (overlap) {
    case 'skip':
      return { kind: 'skip', reason: `${newest.id} had not ended.` };
    case 'bufferOne': {
      const waiting = open.find(({ status }) => status === 'blocked');
      return waiting
        ? { kind: 'skip', reason: `${waiting.id} already waits for its turn.` }
        : { kind: 'run', after: newest };
    }
    case 'bufferAll':
      return open.length > MAX_BUFFERED
        ? { kind: 'skip', reason: `${MAX_BUFFERED} runs already wait for their turn.` }
        : { kind: 'run', after: newest };
    case 'cancelOther':
    case 'terminateOther':
      return { kind: 'cancelFirst', runs: open };
  }
}
