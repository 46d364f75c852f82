// The shape of a job as it is stored and answered: what crosses a process boundary.

export const JOB_STATUSES = [
  'scheduled',
  'blocked',
  'queued',
  'running',
  'retrying',
  'succeeded',
  'failed',
  'canceled',
  'expired',
  'unknown',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

export const FINAL_JOB_STATUSES = ['succeeded', 'failed', 'canceled', 'expired', 'unknown'] as const;
export type FinalJobStatus = (typeof FINAL_JOB_STATUSES)[number];

export type Delivery = 'atLeastOnce' | 'atMostOnce';
export type Lane = 'own' | 'shared';
export type OnDependencyFailure = 'cancel' | 'run';

/** A status code, or a class of them such as `5xx`. */
export type StatusMatch = number | `${1 | 2 | 3 | 4 | 5}xx`;
export type RetryTrigger = StatusMatch | 'network' | 'timeout';

export interface RetryPolicy {
  maxAttempts: number;
  initialInterval: string;
  backoffCoefficient: number;
  maxInterval: string;
  jitter: number;
  retryOn: RetryTrigger[];
  respectRetryAfter: boolean;
  maxRetryAfter: string;
}

/** A header value kept in the secret store and put in only when the call is made. */
export interface SecretReference {
  secret: string;
  format?: string;
}

/** A value that was given in plain although it is secret, encrypted for the time it is stored. */
export interface SealedValue {
  sealed: string;
}

export type HeaderValue = string | SecretReference | SealedValue;

/** The call to make, with defaults filled in. At most one of the three bodies is not null. */
export interface HttpSpec {
  method: string;
  url: string;
  query: Record<string, string>;
  headers: Record<string, HeaderValue>;
  body: unknown;
  bodyText: string | null;
  bodyBase64: string | null;
  timeout: string;
  successOn: StatusMatch[];
  followRedirects: boolean;
}

export type NotifyRule = { on: string[] } & (
  { webhook: { url: string; secret: string | SealedValue | null } } | { email: { to: string[] } }
);

/** A job as accepted: parsed, checked, defaults filled in. One kind today: `http`. */
export interface JobSpec {
  name: string | null;
  http: HttpSpec;
  retry: RetryPolicy;
  delivery: Delivery;
  lane: Lane;
  priority: number;
  runAt: string | null;
  delay: string | null;
  deadline: string | null;
  dependsOn: string[];
  onDependencyFailure: OnDependencyFailure;
  notify: NotifyRule[];
  labels: Record<string, string>;
}

export function isFinal(status: string): status is FinalJobStatus {
  return (FINAL_JOB_STATUSES as readonly string[]).includes(status);
}

/** Every status in which something may still happen. */
export const OPEN_JOB_STATUSES = JOB_STATUSES.filter((status) => !isFinal(status));
