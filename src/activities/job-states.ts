// The state changes of a job that are no attempt: registering itself, running out of time, being canceled from outside.
import { ApplicationFailure } from '@temporalio/activity';

import { currentMs, currentTime } from '../clock.ts';
import { isFinal, OPEN_JOB_STATUSES } from '../contract/job.ts';
import type { AttemptResult, JobPlan } from '../contract/temporal.ts';
import { findJobOfAnyTenant } from '../db/jobs.ts';
import type { Database } from '../db/pool.ts';
import { finishJob } from '../db/settle.ts';
import type { AcceptJob } from '../jobs/accept.ts';
import { canceledError } from '../jobs/cancel.ts';
import type { FollowUp } from '../jobs/follow-up.ts';
import type { EgressPolicy } from '../jobs/http/egress.ts';
import { referencesOfJob, unknownSecrets } from '../jobs/secrets/references.ts';
import { idSchema } from '../jobs/spec/job-schema.ts';
import { parseJobSpec } from '../jobs/spec/parse-job-spec.ts';
import { planOf } from '../jobs/start.ts';
import { deadlineExceeded, draftDeadLetter } from '../jobs/verdict.ts';

export interface JobStateDeps {
  db: Database;
  accept: AcceptJob;
  followUp: FollowUp;
  getPolicy: () => EgressPolicy;
}

export function createJobStates({ db, accept, followUp, getPolicy }: JobStateDeps) {
  return {
    /** A workflow that another service started directly becomes a job like any other. */
    async adoptJob(input: { jobId: string; spec: unknown; tenant?: string | undefined }): Promise<JobPlan> {
      const { jobId, tenant = 'default' } = input;
      if (!idSchema.safeParse(jobId).success) {
        throw ApplicationFailure.nonRetryable(`"${jobId}" cannot be the id of a job`, 'validationFailed');
      }
      const parsed = parseJobSpec(input.spec, { policy: getPolicy(), now: currentTime() });
      if (!parsed.ok) throw ApplicationFailure.nonRetryable('not a job spec', parsed.code, parsed.faults);
      const unknown = await unknownSecrets(db, tenant, referencesOfJob(parsed.spec));
      if (unknown.length > 0) throw ApplicationFailure.nonRetryable('not a job spec', 'validationFailed', unknown);
      const accepted = await accept({ id: jobId, tenant, spec: parsed.spec });
      if (accepted.kind === 'unknownParents') {
        throw ApplicationFailure.nonRetryable('unknown dependencies', 'validationFailed', accepted.ids);
      }
      const job = await findJobOfAnyTenant(db, jobId);
      if (!job) throw new Error(`job ${jobId} was accepted and is not there`);
      return planOf(job);
    },

    async expireJob({ jobId }: { jobId: string }): Promise<AttemptResult> {
      const job = await findJobOfAnyTenant(db, jobId);
      if (job && !isFinal(job.status)) {
        const error = deadlineExceeded();
        const deadLetter = draftDeadLetter(job, 'deadlineExceeded', error);
        const from = { id: jobId, tenant: null, from: ['scheduled', 'blocked', 'queued', 'retrying'] };
        const settled = await finishJob(db, from, { status: 'expired', error, deadLetter, checkAt: null });
        if (settled) await followUp.finished(jobId, 'expired', settled, 'deadlineExceeded');
      }
      const now = await findJobOfAnyTenant(db, jobId);
      if (now && !isFinal(now.status)) return { kind: 'retry', atMs: currentMs() + 1_000 };
      return { kind: 'final', status: now?.status ?? 'canceled', reason: 'deadlineExceeded', detail: null };
    },

    /** The workflow was canceled: through our API the row says so already, from the Web UI it does not yet. */
    async confirmCanceled({ jobId }: { jobId: string }): Promise<void> {
      const from = { id: jobId, tenant: null, from: OPEN_JOB_STATUSES };
      const settled = await finishJob(db, from, {
        status: 'canceled',
        error: canceledError(),
        deadLetter: null,
        checkAt: null,
      });
      if (settled) await followUp.finished(jobId, 'canceled', settled, null);
    },
  };
}
