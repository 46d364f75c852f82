// How a job, an attempt and a dead letter look in answers: every field present, nothing secret.
import type { HttpSpec, JobSpec, JobStatus, SecretReference } from '../contract/job.ts';
import type { StoredError } from '../contract/problem.ts';
import { carrierWorkflow } from '../contract/temporal.ts';
import type { AttemptRow } from '../db/attempts.ts';
import type { DeadLetterRow } from '../db/dead-letters.ts';
import type { JobRow, NewJob, StoredResult } from '../db/jobs.ts';
import { REDACTED } from './http/headers.ts';
import type { Redaction } from './secrets/redaction.ts';

export interface ViewOptions {
  temporalUiUrl: string | null;
  namespace: string;
  redaction: Redaction;
}

export interface JobView {
  id: string;
  name: string | null;
  status: JobStatus;
  http: CallView;
  retry: JobSpec['retry'];
  delivery: JobSpec['delivery'];
  lane: JobSpec['lane'];
  priority: number;
  runAt: string | null;
  deadline: string | null;
  deadlineAt: string | null;
  dependsOn: string[];
  onDependencyFailure: JobSpec['onDependencyFailure'];
  notify: unknown[];
  labels: Record<string, string>;
  attempts: number;
  nextAttemptAt: string | null;
  result: StoredResult | null;
  error: ProblemView | null;
  scheduleId: string | null;
  batchId: string | null;
  batchKey: string | null;
  redriveOf: string | null;
  createdAt: string;
  updatedAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  links: { self: string; attempts: string; temporal: string | null };
}

export type CallView = Omit<HttpSpec, 'headers'> & { headers: Record<string, string | SecretReference> };

export interface ProblemView extends StoredError {
  type: string;
}

type Accepted = Omit<NewJob, 'status' | 'checkAt'> & Pick<JobRow, 'status'>;

/** What is missing has not happened yet: of a job that is just accepted there is nothing else to tell. */
export function jobView(job: Accepted & Partial<JobRow>, options: ViewOptions): JobView {
  const { spec } = job;
  const { redaction } = options;
  return {
    id: job.id,
    name: spec.name,
    status: job.status,
    http: callView(spec.http, redaction),
    retry: spec.retry,
    delivery: spec.delivery,
    lane: spec.lane,
    priority: spec.priority,
    runAt: iso(job.runAt),
    deadline: spec.deadline,
    deadlineAt: iso(job.deadlineAt),
    dependsOn: spec.dependsOn,
    onDependencyFailure: spec.onDependencyFailure,
    notify: spec.notify.map(redactNotify),
    labels: spec.labels,
    attempts: job.attempts ?? 0,
    nextAttemptAt: iso(job.nextAttemptAt),
    result: job.result ? resultView(job.result, redaction) : null,
    error: problemView(job.error ?? null),
    scheduleId: job.scheduleId,
    batchId: job.batchId,
    batchKey: job.batchKey ?? null,
    redriveOf: job.redriveOf,
    createdAt: job.createdAt.toISOString(),
    updatedAt: (job.updatedAt ?? job.createdAt).toISOString(),
    startedAt: iso(job.startedAt),
    finishedAt: iso(job.finishedAt),
    links: {
      self: `/v1/jobs/${encodeURIComponent(job.id)}`,
      attempts: `/v1/jobs/${encodeURIComponent(job.id)}/attempts`,
      temporal: temporalLink(job.carrier === null ? job.id : carrierWorkflow(job.carrier), options),
    },
  };
}

export type AttemptView = ReturnType<typeof attemptView>;
export type DeadLetterView = ReturnType<typeof deadLetterView>;

export function attemptView(attempt: AttemptRow) {
  return {
    number: attempt.number,
    outcome: attempt.outcome,
    httpStatus: attempt.httpStatus,
    error: problemView(attempt.error),
    startedAt: attempt.startedAt.toISOString(),
    finishedAt: iso(attempt.finishedAt),
    durationMs: attempt.durationMs,
    worker: attempt.worker,
  };
}

export function deadLetterView(row: DeadLetterRow) {
  return { ...row, error: problemView(row.error), createdAt: row.createdAt.toISOString() };
}

export function problemView(error: StoredError | null): ProblemView | null {
  return error && { type: problemType(error.code), ...error };
}

/** Errors are named, not located: the pages are in docs/errors. */
export function problemType(code: string): string {
  return `urn:perdure:error:${code}`;
}

export function temporalLink(workflowId: string, { temporalUiUrl, namespace }: ViewOptions): string | null {
  if (!temporalUiUrl) return null;
  return `${temporalUiUrl}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}

export function redactNotify(rule: JobSpec['notify'][number]) {
  if (!('webhook' in rule)) return rule;
  return { ...rule, webhook: { ...rule.webhook, secret: rule.webhook.secret === null ? null : REDACTED } };
}

export function callView(http: HttpSpec, redaction: Redaction): CallView {
  return {
    ...http,
    url: redaction.url(http.url),
    query: redaction.query(http.query),
    headers: redaction.headers(http.headers),
    body: redaction.fields(http.body),
  };
}

function resultView(result: StoredResult, redaction: Redaction): StoredResult {
  const { headers, body } = result;
  return {
    ...result,
    headers: redaction.headers(headers),
    ...(body === undefined ? {} : { body: redaction.fields(body) }),
  };
}

function iso(time: Date | null | undefined): string | null {
  return time ? time.toISOString() : null;
}
