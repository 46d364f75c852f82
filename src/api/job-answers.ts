// What the routes that make or read jobs have in common: finding one, waiting for its end, answering with it.
import type { Response } from 'express';

import { isFinal } from '../contract/job.ts';
import { findJob, type JobRow, type NewJob } from '../db/jobs.ts';
import { jobView } from '../jobs/view.ts';
import { sendJson, sendText } from './answer.ts';
import type { ApiDeps } from './deps.ts';
import { ApiError } from './problem.ts';

type Made =
  { kind: 'created'; job: Pick<NewJob, 'id'>; answer: string } | { kind: 'replayed'; jobId: string; answer: string };

export function createJobAnswers({ db, waitUntilFinal, view }: Pick<ApiDeps, 'db' | 'waitUntilFinal' | 'view'>) {
  const find = async (tenant: string, id: string): Promise<JobRow> => {
    const job = await findJob(db, tenant, id);
    if (!job) throw new ApiError('notFound');
    return job;
  };

  const waitFor = async (tenant: string, id: string, waitMs: number): Promise<JobRow> => {
    const job = await find(tenant, id);
    if (isFinal(job.status) || waitMs === 0) return job;
    await waitUntilFinal(id, waitMs);
    return find(tenant, id);
  };

  /** The first answer to the byte, or, where the client waits, the job as it then is. */
  const sendMade = async (response: Response, made: Made, waitMs: number | null): Promise<void> => {
    const created = made.kind === 'created';
    const id = created ? made.job.id : made.jobId;
    const status = created ? 201 : 200;
    if (!created) response.set('Idempotency-Replayed', 'true');
    response.location(`/v1/jobs/${id}`);
    if (waitMs === null) return sendText(response, status, made.answer);
    const { tenant } = response.locals;
    // Just made, it need not be looked at before.
    if (created && waitMs > 0) await waitUntilFinal(id, waitMs);
    sendJson(response, status, jobView(await (created ? find(tenant, id) : waitFor(tenant, id, waitMs)), view));
  };

  return { find, waitFor, sendMade };
}

export function unknownParents(dependsOn: string[], unknown: string[], base = ''): ApiError {
  const errors = unknown.map((id) => ({
    pointer: `${base}/dependsOn/${dependsOn.indexOf(id)}`,
    detail: `There is no job ${id}.`,
  }));
  return new ApiError('validationFailed', { errors });
}
