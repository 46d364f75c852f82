// How many workflow tasks may want the processor at once: no more than it gets done in good time.
//
// Temporal gives a task ten seconds, then hands it out again, and what was done is lost. A busy machine that takes more
// than it can do by then is late with all of it and comes to repeat itself for ever. What is not taken waits in Temporal's
// queue, where nothing is lost.

/** Far from the ten seconds: the mean of many, some of which take longer. */
const IN_TIME_MS = 2_000;
const WINDOW_MS = 1_000;

export interface Pace {
  limit(): number;
  /** How many want the processor from now on. */
  inWork(count: number): void;
  /** One of them is done. */
  done(): void;
}

export function createPace({
  least,
  most,
  nowMs = () => performance.now(),
}: {
  least: number;
  most: number;
  nowMs?: () => number;
}): Pace {
  // Nobody knows yet what this processor can do; a process that has just started is slow.
  let limit = Math.max(least, Math.floor(most / 4));
  let count = 0;
  let countedAt = nowMs();
  let windowBeganAt = countedAt;
  /** Over all tasks of the window. */
  let workedMs = 0;
  let ended = 0;

  const account = () => {
    const now = nowMs();
    workedMs += count * (now - countedAt);
    countedAt = now;
    const lengthMs = now - windowBeganAt;
    if (lengthMs < WINDOW_MS) return;
    // Little's law: how long each was in work on average. Where none ended, those in work are all that is known.
    const eachMs = workedMs / Math.max(ended, 1);
    if (eachMs > IN_TIME_MS) {
      const achievable = (ended * IN_TIME_MS) / lengthMs;
      // By half at most: those that began together may just be about to end together.
      limit = Math.floor(Math.max(least, Math.min(limit, Math.max(limit / 2, achievable))));
    } else if (eachMs < IN_TIME_MS / 2) {
      limit = Math.min(most, limit * 2);
    }
    windowBeganAt = now;
    workedMs = 0;
    ended = 0;
  };

  return {
    limit() {
      account();
      return limit;
    },
    inWork(next) {
      account();
      count = next;
    },
    done() {
      ended += 1;
      account();
    },
  };
}
