// A job: what is submitted, and what is answered.
import type {
  Delivery,
  HttpSpec,
  JobStatus,
  Lane,
  OnDependencyFailure,
  RetryPolicy,
  SecretReference,
  StatusMatch,
} from '../../contract/job.ts';
import type { StoredError } from '../../contract/problem.ts';
import type { Duration, Instant, LabelFilter, Labels, Links, ListFilter, NotifyInput, OneOrMore } from './common.ts';

export type BodyInput =
  | { body?: unknown; bodyText?: never; bodyBase64?: never }
  | { body?: never; bodyText: string; bodyBase64?: never }
  | { body?: never; bodyText?: never; bodyBase64: string };

export interface HttpFields {
  /** `GET`, or `POST` when there is a body. */
  method?: string;
  query?: Record<string, string>;
  headers?: Record<string, string | SecretReference>;
  timeout?: Duration;
  successOn?: readonly StatusMatch[];
  followRedirects?: boolean;
}

export type HttpInput = { url: string } & HttpFields & BodyInput;

export type RetryInput = { [Field in keyof RetryPolicy]?: Readonly<RetryPolicy[Field]> };

export interface JobFields {
  name?: string;
  deadline?: Duration;
  /** 1 (first) to 5. */
  priority?: 1 | 2 | 3 | 4 | 5;
  retry?: RetryInput;
  delivery?: Delivery;
  lane?: Lane;
  dependsOn?: readonly string[];
  onDependencyFailure?: OnDependencyFailure;
  notify?: readonly NotifyInput[];
  labels?: Labels;
}

export type StartTime = { runAt?: Instant; delay?: never } | { runAt?: never; delay?: Duration };

export type JobInput = { http: HttpInput } & JobFields & StartTime;

export interface JobResult {
  status: number;
  headers: Record<string, string>;
  body?: unknown;
  bodyText?: string | null;
  bodyBase64?: string | null;
  truncated: boolean;
  durationMs: number;
}

export interface Job {
  id: string;
  name: string | null;
  status: JobStatus;
  http: HttpSpec;
  retry: RetryPolicy;
  delivery: Delivery;
  priority: number;
  runAt: string | null;
  deadline: string | null;
  dependsOn: string[];
  labels: Labels;
  attempts: number;
  nextAttemptAt: string | null;
  result: JobResult | null;
  error: StoredError | null;
  scheduleId: string | null;
  batchId: string | null;
  redriveOf: string | null;
  createdAt: string;
  updatedAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  links: Links;
}

export interface Attempt {
  number: number;
  outcome: 'answered' | 'notSent' | 'unknown' | 'open';
  httpStatus: number | null;
  error: StoredError | null;
  startedAt: string;
  finishedAt: string | null;
  durationMs: number | null;
  worker: string | null;
}

export interface JobFilter extends ListFilter {
  status?: OneOrMore<JobStatus>;
  name?: OneOrMore<string>;
  label?: OneOrMore<LabelFilter>;
  host?: OneOrMore<string>;
  scheduleId?: OneOrMore<string>;
  batchId?: OneOrMore<string>;
}
