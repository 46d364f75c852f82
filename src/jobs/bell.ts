// Wakes whoever waits for a thing inside this process; other processes find out by asking PostgreSQL.
export interface Bell {
  ring(topic: string): void;
  /** Calls `listener` at each ring; returns how to stop. */
  on(topic: string, listener: () => void): () => void;
}

export function createBell(): Bell {
  const listeners = new Map<string, Set<() => void>>();
  return {
    ring(topic) {
      for (const listener of [...(listeners.get(topic) ?? [])]) listener();
    },
    on(topic, listener) {
      const set = listeners.get(topic) ?? new Set();
      listeners.set(topic, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0 && listeners.get(topic) === set) listeners.delete(topic);
      };
    },
  };
}
