// Everything workflows may ask for: each side effect of the product, built once per worker.
import type { Database } from '../db/pool.ts';
import { redriveChunk } from '../jobs/bulk-redrive.ts';
import type { Redrive } from '../jobs/redrive.ts';
import { type AttemptDeps, createAttempt, createRecordAttempt } from './attempt.ts';
import { createJobStates, type JobStateDeps } from './job-states.ts';

export type Activities = ReturnType<typeof createActivities>;

export interface ActivityDeps extends AttemptDeps, JobStateDeps {
  db: Database;
  redrive: Redrive;
}

export function createActivities(deps: ActivityDeps) {
  return {
    attempt: createAttempt(deps),
    recordAttempt: createRecordAttempt(deps),
    ...createJobStates(deps),
    redriveChunk: ({ bulkId }: { bulkId: string }) => redriveChunk(deps.db, deps.redrive, bulkId),
  };
}
