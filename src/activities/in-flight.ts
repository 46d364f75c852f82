// The calls under way in this process, by job, so that a cancel can cut one off at once.
import type { CutSignal } from '../jobs/http/send.ts';

export type InFlight = ReturnType<typeof createInFlight>;

/** A target that has not answered by then is slow. */
const SLOW_MS = 1_000;

export function createInFlight() {
  const counts = { done: 0, failed: 0 };
  let cut = false;
  let local = 0;
  let onLocal = () => {};
  const cutters = new Map<string, Map<string, Cutter>>();
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
        if (!isLocal) return;
        local -= 1;
        onLocal();
      };
    },
    localCount: () => local,
    /** Whom to tell that there is one more, or one less. */
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
      const cutter = createCutter();
      const calls = cutters.get(jobId) ?? new Map<string, Cutter>();
      cutters.set(jobId, calls.set(attemptId, cutter));
      if (held.get(attemptId)) localCallsSince.set(attemptId, performance.now());
      return {
        signal: cutter.signal,
        cut: cutter.cut,
        end() {
          calls.delete(attemptId);
          localCallsSince.delete(attemptId);
          if (calls.size === 0) cutters.delete(jobId);
        },
      };
    },
    abort(jobId: string) {
      for (const cutter of cutters.get(jobId)?.values() ?? []) cutter.cut();
    },
    /** The grace is over. */
    abortAll() {
      cut = true;
      for (const calls of cutters.values()) for (const cutter of calls.values()) cutter.cut();
    },
    isCut: () => cut,
    /** Attempts made here: those that ended a job well, and the others. */
    count(succeeded: boolean) {
      counts[succeeded ? 'done' : 'failed'] += 1;
    },
    counts: () => ({ ...counts }),
  };
}

type Cutter = ReturnType<typeof createCutter>;

/** What calls need of an AbortController: they come by the thousand, and the real one is a large part of their cost. */
function createCutter() {
  const listeners = new Set<() => void>();
  let aborted = false;
  const signal: CutSignal = {
    get aborted() {
      return aborted;
    },
    addEventListener: (_type, listener) => void listeners.add(listener),
    removeEventListener: (_type, listener) => void listeners.delete(listener),
  };
  return {
    signal,
    cut() {
      aborted = true;
      for (const listener of listeners) listener();
      listeners.clear();
    },
  };
}
