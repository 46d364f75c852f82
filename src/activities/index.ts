// Everything workflows may ask for: each side effect of the product, built once per worker.
import type { Database } from '../db/pool.ts';
import { redriveChunk } from '../jobs/bulk-redrive.ts';
import type { RedriveLetter } from '../jobs/runs/redrive-letter.ts';
import type { Sealer } from '../jobs/secrets/sealer.ts';
import { type AttemptDeps, createAttempt, createRecordAttempt } from './attempt.ts';
import { createJobStates, type JobStateDeps } from './job-states.ts';
import { createLanes, type LaneDeps } from './lane.ts';
import { createRunCalls } from './run-call.ts';
import { createRunChildren } from './run-child.ts';
import { createRunData } from './run-data.ts';
import { createRunStates, type RunStateDeps } from './run-states.ts';
import { createScheduleActivities, type ScheduleActivityDeps } from './schedules.ts';

export type Activities = ReturnType<typeof createActivities>;

export interface ActivityDeps extends AttemptDeps, JobStateDeps, RunStateDeps, LaneDeps, ScheduleActivityDeps {
  db: Database;
  redriveLetter: RedriveLetter;
  sealer: Sealer;
}

export function createActivities(deps: ActivityDeps) {
  return {
    attempt: createAttempt(deps),
    recordAttempt: createRecordAttempt(deps),
    ...createJobStates(deps),
    ...createRunStates(deps),
    ...createRunCalls(deps),
    ...createRunData(deps),
    ...createRunChildren(deps),
    ...createLanes(deps),
    ...createScheduleActivities(deps),
    redriveChunk: ({ bulkId }: { bulkId: string }) => redriveChunk(deps.db, deps, bulkId),
  };
}
