// The calls under way in this process, by job, so that a cancel can cut one off at once.
export type InFlight = ReturnType<typeof createInFlight>;

/** A target that has not answered by then is slow. */
const SLOW_MS = 1_000;

export function createInFlight() {
  const counts = { done: 0, failed: 0 };
  let cut = false;
  let local = 0;
  let onLocal = () => {};
  const controllers = new Map<string, Map<string, AbortController>>();
  /** Attempt id → whether it is a local activity. */
  const held = new Map<string, boolean>();
  const localCallsSince = new Map<string, number>();
  return {
    /** From before its row is opened until its result is written, this process answers for an attempt. */
    hold(attemptId: string, { local: isLocal }: { local: boolean }) {
      held.set(attemptId, isLocal);
      if (isLocal) {
        local += 1;
        onLocal();
      }
      return () => {
        held.delete(attemptId);
        if (isLocal) local -= 1;
      };
    },
    localCount: () => local,
    /** Whom to tell that there is one more. */
    onLocal(tell: () => void) {
      onLocal = tell;
    },
    isHeld: (attemptId: string) => held.has(attemptId),
    /** Calls of local attempts that slow targets hold up. */
    slowLocalCount() {
      const before = performance.now() - SLOW_MS;
      let count = 0;
      for (const since of localCallsSince.values()) if (since < before) count += 1;
      return count;
    },
    begin(jobId: string, attemptId: string) {
      const controller = new AbortController();
      const calls = controllers.get(jobId) ?? new Map<string, AbortController>();
      controllers.set(jobId, calls.set(attemptId, controller));
      if (held.get(attemptId)) localCallsSince.set(attemptId, performance.now());
      return {
        signal: controller.signal,
        end() {
          calls.delete(attemptId);
          localCallsSince.delete(attemptId);
          if (calls.size === 0) controllers.delete(jobId);
        },
      };
    },
    abort(jobId: string) {
      for (const controller of controllers.get(jobId)?.values() ?? []) controller.abort();
    },
    /** The grace is over. */
    abortAll() {
      cut = true;
      for (const calls of controllers.values()) for (const controller of calls.values()) controller.abort();
    },
    isCut: () => cut,
    /** Attempts made here: those that ended a job well, and the others. */
    count(succeeded: boolean) {
      counts[succeeded ? 'done' : 'failed'] += 1;
    },
    counts: () => ({ ...counts }),
  };
}
