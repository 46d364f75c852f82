// What is counted of a call: how long it waited, what it ended with, and why it is made again.
import { currentMs } from '../clock.ts';
import type { JobRow } from '../db/jobs.ts';
import type { Verdict } from '../db/settle.ts';
import type { SendOutcome } from '../jobs/http/send.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Call when an attempt has taken its job. */
export function countStart(
  { started, queueSeconds }: Metrics,
  { attempts, spec, runAt, createdAt }: Pick<JobRow, 'attempts' | 'spec' | 'runAt' | 'createdAt'>,
): void {
  if (attempts !== 1) return;
  started.inc();
  // The time others took is no waiting for us.
  if (spec.dependsOn.length > 0) return;
  queueSeconds.observe(Math.max(0, currentMs() - (runAt ?? createdAt).getTime()) / 1_000);
}

export function countCall(
  metrics: Metrics,
  { tenant, host: targetHost }: Pick<JobRow, 'tenant' | 'host'>,
  outcome: SendOutcome,
  durationMs: number,
): void {
  const host = metrics.hostLabel(targetHost);
  const labels = {
    outcome: outcome.kind,
    status_class: outcome.kind === 'answered' ? classOf(outcome.status) : 'none',
    reason: outcome.kind === 'answered' ? 'none' : outcome.code,
  };
  metrics.attempts.inc({ tenant: metrics.tenantLabel(tenant), ...labels });
  metrics.hostAttempts.inc({ host, ...labels });
  metrics.attemptSeconds.observe({ host }, durationMs / 1_000);
}

/** What a retry is made for: `429`, the class of another status, or what kept the answer away. */
export function causeOf({ error }: Verdict): string {
  if (error === null) return 'none';
  if (error.status === null) return error.code;
  return error.status === 429 ? '429' : classOf(error.status);
}

function classOf(status: number): string {
  return `${Math.floor(status / 100)}xx`;
}
