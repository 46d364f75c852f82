// What became of the jobs of a load, read from the instance by their label.
import { setTimeout as sleep } from 'node:timers/promises';

import type { Job, Perdure } from '../../src/client/index.ts';
import { FINAL_JOB_STATUSES, isFinal, OPEN_JOB_STATUSES } from '../../src/contract/job.ts';
import { isFinalRun, RUN_STATUSES } from '../../src/contract/run.ts';

export interface Summary {
  jobs: number;
  open: number;
  byStatus: Record<string, number>;
  runsByStatus: Record<string, number>;
  retries: number;
  deadLetters: number;
  /** From acceptance (or runAt) to the final status, canceled ones aside. */
  seconds: { p50: number; p95: number; p99: number } | null;
}

const PAGE = 200;
const ASK_EVERY_MS = 500;
const OPEN_RUN_STATUSES = RUN_STATUSES.filter((status) => !isFinalRun(status));

/** True when nothing of it is open any more. */
export async function waitUntilFinal(perdure: Perdure, label: `load:${string}`, limitMs: number): Promise<boolean> {
  const endsAt = performance.now() + limitMs;
  for (;;) {
    const [jobs, runs] = await Promise.all([
      perdure.jobs.list({ label, status: OPEN_JOB_STATUSES, limit: 1 }).page(),
      perdure.runs.list({ label, status: OPEN_RUN_STATUSES, limit: 1 }).page(),
    ]);
    if (jobs.items.length + runs.items.length === 0) return true;
    if (performance.now() > endsAt) return false;
    await sleep(ASK_EVERY_MS);
  }
}

export async function summarize(perdure: Perdure, label: `load:${string}`): Promise<Summary> {
  const byStatus: Record<string, number> = {};
  const durations: number[] = [];
  let jobs = 0;
  let open = 0;
  let retries = 0;
  for await (const job of perdure.jobs.list({ label, limit: PAGE })) {
    jobs += 1;
    byStatus[job.status] = (byStatus[job.status] ?? 0) + 1;
    retries += Math.max(0, job.attempts - 1);
    if (!isFinal(job.status)) open += 1;
    else if (job.status !== 'canceled') durations.push(durationOf(job));
  }
  const runsByStatus: Record<string, number> = {};
  for await (const { status } of perdure.runs.list({ label, limit: PAGE })) {
    runsByStatus[status] = (runsByStatus[status] ?? 0) + 1;
    if (!isFinalRun(status)) open += 1;
  }
  durations.sort((a, b) => a - b);
  const at = (share: number) => durations[Math.min(durations.length - 1, Math.floor(durations.length * share))] ?? 0;
  const dead = FINAL_JOB_STATUSES.filter((status) => status !== 'succeeded' && status !== 'canceled');
  return {
    jobs,
    open,
    byStatus,
    runsByStatus,
    retries,
    deadLetters: dead.reduce((sum, status) => sum + (byStatus[status] ?? 0), 0),
    seconds: durations.length === 0 ? null : { p50: at(0.5), p95: at(0.95), p99: at(0.99) },
  };
}

function durationOf({ createdAt, runAt, finishedAt }: Job): number {
  return Math.max(0, Date.parse(finishedAt ?? createdAt) - Date.parse(runAt ?? createdAt)) / 1_000;
}

export function summaryText({ jobs, open, byStatus, runsByStatus, retries, deadLetters, seconds }: Summary): string {
  const times = seconds ? Object.entries(seconds).map(([name, value]) => `${name} ${value.toFixed(2)} s`) : ['none'];
  return [
    `Jobs          ${jobs}: ${listed(byStatus)}${open > 0 ? ` (${open} jobs and runs are not final)` : ''}`,
    ...(Object.keys(runsByStatus).length > 0 ? [`Runs          ${listed(runsByStatus)}`] : []),
    `Durations     ${times.join(', ')}`,
    `Retries       ${retries}`,
    `Dead letters  ${deadLetters}`,
  ].join('\n');
}

function listed(byStatus: Record<string, number>): string {
  const counts = Object.entries(byStatus).sort(([, a], [, b]) => b - a);
  return counts.map(([status, count]) => `${count} ${status}`).join(', ') || 'none';
}
