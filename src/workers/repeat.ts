// A loop that outlives its errors: runs `work`, waits, and runs it again until it is stopped.
export interface Repeated {
  /** Runs now instead of at the end of the wait. */
  nudge(): void;
  /** Resolves when the run under way has ended. */
  stop(): Promise<void>;
}

/** `work` answers true when there is more to do at once. */
export function repeat(everyMs: number, work: () => Promise<boolean>, onError: (error: unknown) => void): Repeated {
  let stopped = false;
  let wake = () => {};
  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, everyMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  let nudged = false;
  const run = async () => {
    while (!stopped) {
      nudged = false;
      const more = await work().catch((error: unknown) => {
        onError(error);
        return false;
      });
      if (!stopped && !more && !nudged) await pause();
    }
  };
  const running = run();
  return {
    nudge() {
      nudged = true;
      wake();
    },
    async stop() {
      stopped = true;
      wake();
      await running;
    },
  };
}
