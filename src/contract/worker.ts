// The states of a worker, as operators see them.
export const WORKER_STATES = ['available', 'busy', 'paused', 'draining', 'drained', 'gone'] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

/** Those that may still be told something. */
export const LIVE_WORKER_STATES = ['available', 'busy', 'paused', 'draining'] as const satisfies readonly WorkerState[];

/** What a worker says of itself; `busy` and `gone` are for others to see. */
export type WorkerPhase = 'serving' | 'paused' | 'draining' | 'drained';
