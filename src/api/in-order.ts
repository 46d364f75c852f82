// Runs handlers one after the other as a router does, without asking of each whether it is for this path.
import type { RequestHandler } from 'express';

export function inOrder(...handlers: RequestHandler[]): RequestHandler {
  return (request, response, next) => {
    const run = (at: number): void => {
      const handler = handlers[at];
      if (!handler) return next();
      try {
        const running: unknown = handler(request, response, (error?: unknown) => (error ? next(error) : run(at + 1)));
        if (running instanceof Promise) running.catch(next);
      } catch (error) {
        next(error);
      }
    };
    run(0);
  };
}
