// Who we are, the workers that do the work, and the stream of what happens.
import type { LabelFilter, OneOrMore } from './common.ts';

export type Scope = 'read' | 'submit' | 'operate' | 'admin';

export interface Identity {
  subject: string;
  tenant: string;
  scopes: Scope[];
  auth: string;
}

export type WorkerState = 'available' | 'busy' | 'paused' | 'draining' | 'drained' | 'gone';

export interface Slots {
  used: number;
  max: number;
}

export interface Worker {
  id: string;
  identity: string;
  host: string;
  pid: number;
  version: string;
  roles: string[];
  state: WorkerState;
  queues: string[];
  slots: { activities: Slots; workflows: Slots };
  counts: { done: number; failed: number };
  startedAt: string;
  lastHeartbeat: string;
}

export interface WorkerFilter {
  state?: OneOrMore<WorkerState>;
  limit?: number;
}

export interface Queue {
  name: string;
  paused: boolean;
  backlog: number;
  oldestAgeSeconds: number | null;
  workers: number;
}

export interface QueueFilter {
  limit?: number;
}

export type EventSubject = 'job' | 'run' | 'batch' | 'schedule' | 'worker';

/** `data` is a summary of the thing; read the thing itself for all of it. */
export interface PerdureEvent {
  id: string;
  type: `${EventSubject}.${string}`;
  timestamp: string;
  data: { id: string; status: string; name?: string | null } & Record<string, unknown>;
}

export interface EventFilter {
  type?: OneOrMore<string>;
  jobId?: OneOrMore<string>;
  runId?: OneOrMore<string>;
  name?: OneOrMore<string>;
  label?: OneOrMore<LabelFilter>;
}

export interface EventOptions {
  signal?: AbortSignal;
  /** Continue after this event, as read from an earlier stream. */
  lastEventId?: string;
  /** A stream that stays silent for so long is taken for dead and opened again. */
  idleTimeoutMs?: number;
}
