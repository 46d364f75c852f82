// Times at a fixed distance from each other, counted from an anchor and not from any clock on a wall.

export interface Interval {
  everyMs: number;
  anchorMs: number;
}

/** Why this cannot be an interval, or null. */
export function findIntervalFault(everyMs: number): string | null {
  if (!Number.isSafeInteger(everyMs)) return 'An interval is a whole number of seconds.';
  if (everyMs < 1000) return 'An interval is at least 1 second.';
  if (everyMs % 1000 !== 0) return 'An interval is a whole number of seconds.';
  return null;
}

export function nextIntervalTime({ everyMs, anchorMs }: Interval, fromMs: number): number {
  return anchorMs + Math.ceil((fromMs - anchorMs) / everyMs) * everyMs;
}

/** How far the interval's times lie behind whole multiples of it since the Unix epoch. */
export function intervalOffsetMs({ everyMs, anchorMs }: Interval): number {
  return ((anchorMs % everyMs) + everyMs) % everyMs;
}
