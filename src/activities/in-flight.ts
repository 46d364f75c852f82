// The calls under way in this process, by job, so that a cancel can cut one off at once.
export type InFlight = ReturnType<typeof createInFlight>;

export function createInFlight() {
  let closing = false;
  const controllers = new Map<string, Map<string, AbortController>>();
  const held = new Set<string>();
  let localCount = 0;
  return {
    /** From before its row is opened until its result is written, this process answers for an attempt. */
    hold(attemptId: string, { local }: { local: boolean }) {
      held.add(attemptId);
      if (local) localCount++;
      return () => {
        held.delete(attemptId);
        if (local) localCount--;
      };
    },
    isHeld: (attemptId: string) => held.has(attemptId),
    localCount: () => localCount,
    begin(jobId: string, attemptId: string) {
      const controller = new AbortController();
      const calls = controllers.get(jobId) ?? new Map<string, AbortController>();
      controllers.set(jobId, calls.set(attemptId, controller));
      return {
        signal: controller.signal,
        end() {
          calls.delete(attemptId);
          if (calls.size === 0) controllers.delete(jobId);
        },
      };
    },
    abort(jobId: string) {
      for (const controller of controllers.get(jobId)?.values() ?? []) controller.abort();
    },
    /** The grace is over. */
    abortAll() {
      for (const calls of controllers.values()) for (const controller of calls.values()) controller.abort();
    },
    /** This process is about to end: what can still be left to others is. */
    close() {
      closing = true;
    },
    isClosing: () => closing,
    size: () => controllers.size,
  };
}
