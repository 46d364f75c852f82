// Nobody waits long for a store that is in trouble: the work goes on, and its caller hears that its end is not known.
//
// Each wait of its own has an end (db/pool.ts), but there are several in a row: for the others' group, a connection, a
// lock. A store that is only slow is waited for: whoever is told to come again makes it no faster.
import type { NextFunction, Request, Response } from 'express';

import { StoreUnavailableError } from '../../db/pool.ts';

declare module 'express-serve-static-core' {
  interface Locals {
    within: Within;
  }
}

/** Half of what callers are promised: three hundred who come and give up at one moment wait for each other, too. */
const PATIENCE_MS = 1_200;
/** So long after the last failure the store is in trouble. */
const TROUBLE_MS = 10_000;
const LOOK_AGAIN_MS = 100;

/** What cannot be taken back when its caller has gone: it must be something that may be asked for again. */
export type Within = <T>(work: Promise<T>) => Promise<T>;

export function createPatience() {
  /** Whoever fails, all know. */
  let troubledAt = -Infinity;
  // One timer for all of them: hardly anybody waits until it has a look.
  const waiting = new Set<Waiting>();
  let looking: NodeJS.Timeout | undefined;

  const look = () => {
    looking = undefined;
    const now = performance.now();
    const inTrouble = now - troubledAt <= TROUBLE_MS;
    for (const one of inTrouble ? waiting : []) if (one.giveUpAt <= now) one.giveUp();
    if (waiting.size > 0) looking = setTimeout(look, LOOK_AGAIN_MS);
  };

  const begin = (): Within => {
    const giveUpAt = performance.now() + PATIENCE_MS;
    return <T>(work: Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        const end = () => void waiting.delete(one);
        const one: Waiting = {
          giveUpAt,
          giveUp() {
            end();
            reject(new StoreUnavailableError('the store has not answered in time'));
          },
        };
        waiting.add(one);
        looking ??= setTimeout(look, LOOK_AGAIN_MS);
        work.then(
          (result) => {
            end();
            resolve(result);
          },
          (error: Error) => {
            end();
            if (error instanceof StoreUnavailableError) troubledAt = performance.now();
            reject(error);
          },
        );
      });
  };

  return {
    /** For one request: all that it waits for, together. */
    begin,
    attach(_request: Request, response: Response, next: NextFunction): void {
      response.locals.within = begin();
      next();
    },
  };
}

interface Waiting {
  giveUpAt: number;
  giveUp(): void;
}
