// Types every resource shares: how calls are made, how lists are read, what notifies.
import type { NotifyRule } from '../../contract/job.ts';

/** `"500ms"`, `"30s"`, `"5m"`, `"1h30m"`, `"2d"` or ISO 8601 `"PT1H30M"`; bare numbers are refused. */
export type Duration = string;

/** RFC 3339; a `Date` is sent as UTC. */
export type Instant = string | Date;

export type Labels = Record<string, string>;

export interface CallOptions {
  signal?: AbortSignal;
  /** For one try, not for all of them together; the client's `timeoutMs` by default. */
  timeoutMs?: number;
}

export interface CreateOptions extends CallOptions {
  /** Made once per call when left out, and the same over the call's own retries. Store it to survive a crash of yours. */
  idempotencyKey?: string;
}

export interface WaitOptions extends CallOptions {
  /** How long to wait in all; without it, until the thing is final. At the end you get it as it then is. */
  limit?: Duration;
}

export interface CreateAndWaitOptions extends CreateOptions {
  /** `true`: until final. A duration: at most so long, then the thing as it then is. */
  wait?: true | Duration;
}

export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** Reads page after page while it is iterated; `page` reads one. */
export interface List<Item> extends AsyncIterable<Item> {
  page(cursor?: string | null): Promise<Page<Item>>;
}

export interface ListFilter {
  /** Items a page, 1 to 200. */
  limit?: number;
  createdAfter?: Instant;
  createdBefore?: Instant;
}

/** A filter repeated means "or". */
export type OneOrMore<Value> = Value | readonly Value[];

/** `key:value` */
export type LabelFilter = `${string}:${string}`;

export type NotifyInput = { on: readonly string[] } & (
  { webhook: { url: string; secret?: string }; email?: never } | { email: { to: readonly string[] }; webhook?: never }
);
export type { NotifyRule };

export interface Links {
  self: string;
  [name: string]: string | null;
}
