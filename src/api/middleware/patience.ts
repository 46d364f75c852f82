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

  const begin = (): Within => {
    const startedAt = performance.now();
    return async <T>(work: Promise<T>) => {
      const noted = work.catch((error: unknown) => {
        if (error instanceof StoreUnavailableError) troubledAt = performance.now();
        throw error;
      });
      let timer: NodeJS.Timeout | undefined;
      const tooLong = new Promise<never>((_resolve, reject) => {
        const look = () => {
          if (performance.now() - troubledAt > TROUBLE_MS) timer = setTimeout(look, LOOK_AGAIN_MS);
          else reject(new StoreUnavailableError('the store has not answered in time'));
        };
        timer = setTimeout(look, startedAt + PATIENCE_MS - performance.now());
      });
      try {
        return await Promise.race([noted, tooLong]);
      } finally {
        clearTimeout(timer);
      }
    };
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
