// A stored spec back to the form in which a job is sent, so that a redrive can patch it and parse it again.

import type { HttpSpec, JobSpec, RetryPolicy } from '../../contract/job.ts';
import { canonicalJson } from '../canonical-json.ts';
import { DEFAULT_RETRY } from './retry-schema.ts';
import { isMembers, type Members } from './rules.ts';

/** Without `runAt` and `delay`, whose time is past: the new job runs at once unless a patch says otherwise. */
export function specToInput(spec: JobSpec): Members {
  const { http, retry, runAt: _runAt, delay: _delay, ...rest } = spec;
  return withoutEmpty({ ...rest, http: httpInput(http), retry: retryInput(retry) });
}

function httpInput({ body, ...http }: HttpSpec): Members {
  // An empty body is a body; only null is none.
  return { ...withoutEmpty(http), ...(body === null ? {} : { body }) };
}

/** Only what differs from the defaults: a patch of one interval is not held up by a default it never chose. */
function retryInput(retry: RetryPolicy): Members {
  const defaults = new Map<string, unknown>(Object.entries(DEFAULT_RETRY));
  const chosen = Object.entries(retry).filter(([name, value]) => !isSame(value, defaults.get(name)));
  return Object.fromEntries(chosen);
}

function isSame(one: unknown, other: unknown): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

function withoutEmpty(members: Members): Members {
  const kept = Object.entries(members).filter(([, value]) => value !== null && !isEmpty(value));
  return Object.fromEntries(kept);
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isMembers(value) && Object.keys(value).length === 0;
}
