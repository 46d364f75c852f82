// A workflow may begin in this very process, without a way through the server, while a worker in it takes work.
//
// On its way into the SDK such a start holds a lock until our slots have answered on this thread; a worker that is shut
// down waits for the same lock, on this thread. With both at once the process hangs for ever, so they take turns.
import type { WorkflowClientInterceptor } from '@temporalio/client';

export interface EagerStarts {
  /** Of the client whose connection the worker uses. */
  interceptor: WorkflowClientInterceptor;
  /** The worker takes work now. */
  allow(): void;
  /** The worker is about to be shut down: resolves when no such start is under way, and until `allow` none will be. */
  forbid(): Promise<void>;
}

export function createEagerStarts(): EagerStarts {
  const underWay = new Set<Promise<unknown>>();
  let isAllowed = false;
  return {
    interceptor: {
      startWithDetails(input, next) {
        if (!isAllowed) return next(input);
        const starting = next({ ...input, options: { ...input.options, requestEagerStart: true } });
        const ended: Promise<unknown> = starting.then(
          () => underWay.delete(ended),
          () => underWay.delete(ended),
        );
        underWay.add(ended);
        return starting;
      },
    },
    allow: () => void (isAllowed = true),
    async forbid() {
      isAllowed = false;
      await Promise.all(underWay);
    },
  };
}
