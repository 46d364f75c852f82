// The defaults of a job, in one place.

import type { HttpSpec, JobSpec, Lane, NotifyRule, StatusMatch } from '../../contract/job.ts';
import { parseTimestamp } from '../../contract/timestamp.ts';
import type { HttpInput } from './http-schema.ts';
import type { JobInput } from './job-schema.ts';
import type { NotifyInput } from './notify-schema.ts';
import { withRetryDefaults } from './retry-schema.ts';

export const DEFAULT_TIMEOUT = '10s';
export const DEFAULT_SUCCESS_ON: readonly StatusMatch[] = ['2xx'];
export const DEFAULT_PRIORITY = 3;

export function withDefaults(input: JobInput): JobSpec {
  return {
    name: input.name ?? null,
    http: withHttpDefaults(input.http),
    retry: withRetryDefaults(input.retry),
    delivery: input.delivery ?? 'atLeastOnce',
    lane: laneOf(input),
    priority: input.priority ?? DEFAULT_PRIORITY,
    runAt: instantOf(input.runAt),
    delay: input.delay ?? null,
    deadline: input.deadline ?? null,
    dependsOn: input.dependsOn ?? [],
    onDependencyFailure: input.onDependencyFailure ?? 'cancel',
    notify: notifyRules(input.notify),
    labels: input.labels ?? {},
  };
}

export function withHttpDefaults(http: HttpInput): HttpSpec {
  const body = http.body ?? null;
  const bodyText = http.bodyText ?? null;
  const bodyBase64 = http.bodyBase64 ?? null;
  const hasBody = body !== null || bodyText !== null || bodyBase64 !== null;
  return {
    method: http.method ?? (hasBody ? 'POST' : 'GET'),
    url: http.url,
    query: http.query ?? {},
    headers: http.headers ?? {},
    body,
    bodyText,
    bodyBase64,
    timeout: http.timeout ?? DEFAULT_TIMEOUT,
    successOn: http.successOn ?? [...DEFAULT_SUCCESS_ON],
    followRedirects: http.followRedirects ?? false,
  };
}

export function notifyRules(rules: NotifyInput | undefined): NotifyRule[] {
  return (rules ?? []).flatMap(({ on, webhook, email }): NotifyRule[] => {
    if (webhook) return [{ on, webhook: { url: webhook.url, secret: webhook.secret ?? null } }];
    return email ? [{ on, email }] : [];
  });
}

/** The shared lane is for jobs that can start now and may be retried; for all others it means `own`. */
function laneOf({ lane, delivery, runAt, delay, dependsOn }: JobInput): Lane {
  const waits = Boolean(runAt ?? delay) || (dependsOn ?? []).length > 0;
  return lane === 'shared' && delivery !== 'atMostOnce' && !waits ? 'shared' : 'own';
}

function instantOf(runAt: string | null | undefined): string | null {
  return parseTimestamp(runAt ?? '')?.toISOString() ?? null;
}
