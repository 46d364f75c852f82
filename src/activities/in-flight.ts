// The calls under way in this process, by job, so that a cancel can cut one off at once.
export type InFlight = ReturnType<typeof createInFlight>;

export function createInFlight() {
  const controllers = new Map<string, Map<string, AbortController>>();
  return {
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
    size: () => controllers.size,
  };
}
