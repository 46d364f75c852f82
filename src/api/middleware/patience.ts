// Nobody waits long for a store that is in trouble: the work goes on, and its caller hears that its end is not known.
//
// Each wait of its own has an end (db/pool.ts), but there are several in a row: for the others' group, a connection, a
// lock. A store that is only slow is waited for: whoever is told to come again makes it no faster.
//
// What it costs to answer hundreds at one moment is what the last of them waits besides. So it counts from when a
// request came, not from when its turn was; not all give up, and come back, at the same moment; those who give up do so
// a few at a time, so that others are let in between; and those who would be too many are told at once.
import type { NextFunction, Request, Response } from 'express';

import { StoreUnavailableError } from '../../db/pool.ts';
import { createShortTurns } from '../short-turns.ts';

declare module 'express-serve-static-core' {
  interface Locals {
    within: Within;
  }
}

/** Well below the two and a half seconds that callers are promised. */
const PATIENCE_MS = { least: 800, most: 1_300 };
/** So long after the last failure the store is in trouble: more than lies between two of them (db/pool.ts). */
const TROUBLE_MS = 6_000;
const LOOK_AGAIN_MS = 25;
/** To give up takes each of them about a millisecond, one after the other. */
const MOST_WAITING = 500;

/** What cannot be taken back when its caller has gone: it must be something that may be asked for again. */
export type Within = <T>(work: Promise<T>) => Promise<T>;

export function createPatience() {
  /** Whoever fails, all know. */
  let troubledAt = -Infinity;
  const turns = createShortTurns();
  // One timer for all of them: hardly anybody waits until it has a look.
  const waiting = new Set<Waiting>();
  let looking: NodeJS.Timeout | undefined;
  const isInTrouble = () => performance.now() - troubledAt <= TROUBLE_MS;

  const look = () => {
    looking = undefined;
    const now = performance.now();
    for (const one of isInTrouble() ? waiting : []) if (one.giveUpAt <= now) one.giveUp();
    if (waiting.size > 0) looking = setTimeout(look, LOOK_AGAIN_MS);
  };

  const begin = (startedAt = performance.now()): Within => {
    const giveUpAt = startedAt + PATIENCE_MS.least + Math.random() * (PATIENCE_MS.most - PATIENCE_MS.least);
    return <T>(work: Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        const fail = (error: Error) => {
          if (waiting.delete(one)) turns.soon(() => reject(error));
        };
        const one: Waiting = {
          giveUpAt,
          giveUp: () => fail(new StoreUnavailableError('the store has not answered in time')),
        };
        waiting.add(one);
        looking ??= setTimeout(look, LOOK_AGAIN_MS);
        work.then(
          (result) => {
            if (waiting.delete(one)) resolve(result);
          },
          (error: Error) => {
            if (error instanceof StoreUnavailableError) troubledAt = performance.now();
            fail(error);
          },
        );
      });
  };

  return {
    /** For one request: all that it waits for, together. */
    begin,
    attach(request: Request, response: Response, next: NextFunction): void {
      const { arrivedAtMs = performance.now() } = request;
      // What nobody would wait for is not begun: others could be served meanwhile.
      const isLate = performance.now() > arrivedAtMs + PATIENCE_MS.least;
      if (isInTrouble() && (isLate || waiting.size >= MOST_WAITING)) {
        return next(new StoreUnavailableError('too many already wait for the store'));
      }
      response.locals.within = begin(arrivedAtMs);
      next();
    },
  };
}

interface Waiting {
  giveUpAt: number;
  giveUp(): void;
}
