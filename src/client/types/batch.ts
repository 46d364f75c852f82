// A batch: many jobs accepted together or not at all.
import type { Duration, Labels, Links, ListFilter, NotifyInput, OneOrMore } from './common.ts';
import type { BodyInput, HttpFields, HttpInput, JobFields, StartTime } from './job.ts';

/** A job of a batch; `http` may leave out what `defaults` gives. */
export type BatchItem = { http?: Partial<HttpInput>; key?: string } & JobFields & StartTime;

export type BatchDefaults = { http?: { url?: string } & HttpFields & BodyInput; delay?: Duration } & JobFields;

export interface BatchOfItems {
  items: readonly BatchItem[];
  name?: string;
  defaults?: BatchDefaults;
  concurrency?: number;
  notify?: readonly NotifyInput[];
  labels?: Labels;
}

/** Sent line by line as the source yields; the service then takes no other batch fields. */
export interface BatchOfStream {
  items: AsyncIterable<BatchItem>;
  name?: string;
  concurrency?: number;
}

export type BatchInput = BatchOfItems | BatchOfStream;

export type BatchStatus = 'running' | 'finished' | 'canceled';

export interface BatchCounts {
  total: number;
  queued: number;
  running: number;
  retrying: number;
  succeeded: number;
  failed: number;
  canceled: number;
}

export interface Batch {
  id: string;
  name: string | null;
  status: BatchStatus;
  counts: BatchCounts;
  createdAt: string;
  finishedAt: string | null;
  links: Links;
}

export interface BatchFilter extends ListFilter {
  status?: OneOrMore<BatchStatus>;
  name?: OneOrMore<string>;
}
