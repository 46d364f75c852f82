// What metrics cost: the processor time of all that is counted for one job, against that of the cheapest job there is.
import { expect, test } from 'vitest';

import { countCall, countStart } from '../src/activities/measure.ts';
import type { JobRow } from '../src/db/jobs.ts';
import type { SendOutcome } from '../src/jobs/http/send.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';

/**
 * An item of a batch, everything included but its target: 3,000 to 5,000 a second on two processors (docs/metrics.md
 * says how the metrics are read; bench/chain.test.ts what a job of its own costs, some 30 times as much).
 */
const CHEAPEST_JOB_US = 2 * (1_000_000 / 5_000);
const MAX_SHARE = 0.02;
const JOBS = 200_000;

const job = {
  tenant: 'default',
  host: 'api.example.com',
  attempts: 1,
  spec: { dependsOn: [] as string[] },
  runAt: null,
  createdAt: new Date(),
} as unknown as JobRow;
const answered = { kind: 'answered', status: 200 } as SendOutcome;

test('all that is counted for one job costs at most 2 % of the processor time of the cheapest job', () => {
  const metrics = createMetrics();
  countJobs(metrics, JOBS / 10);
  const before = process.cpuUsage();
  countJobs(metrics, JOBS);
  const { user, system } = process.cpuUsage(before);
  const usPerJob = (user + system) / JOBS;
  console.log(
    `metrics: ${usPerJob.toFixed(2)} µs a job, ${((usPerJob / CHEAPEST_JOB_US) * 100).toFixed(2)} % of ${CHEAPEST_JOB_US} µs`,
  );
  expect(usPerJob / CHEAPEST_JOB_US).toBeLessThan(MAX_SHARE);
});

/** From acceptance to the end, as accept.ts, batch.ts, attempt.ts and follow-up.ts count it. */
function countJobs(metrics: ReturnType<typeof createMetrics>, jobs: number): void {
  for (let at = 0; at < jobs; at++) {
    metrics.accepted.inc({ tenant: metrics.tenantLabel('default'), source: 'submit' });
    metrics.claims.inc({ result: 'claimed' });
    countStart(metrics, job);
    countCall(metrics, job, answered, 12);
    const tenant = metrics.tenantLabel('default');
    metrics.finished.inc({ tenant, status: 'succeeded' });
    metrics.finalSeconds.observe({ tenant }, 0.05);
  }
}
