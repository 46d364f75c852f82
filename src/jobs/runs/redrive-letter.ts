// Drives a dead letter again, whether it stands for a job or for a run; for operations on many of them.
import { findDeadLetter } from '../../db/dead-letters.ts';
import type { Database } from '../../db/pool.ts';
import type { Redrive, RedriveRequest } from '../redrive.ts';
import { isMembers } from '../spec/rules.ts';
import type { RedriveRun } from './redrive.ts';

export type RedriveLetter = ReturnType<typeof createRedriveLetter>;

const PATCHABLE = ['input', 'definition'];

export function createRedriveLetter({
  db,
  redrive,
  redriveRun,
}: {
  db: Database;
  redrive: Redrive;
  redriveRun: RedriveRun;
}) {
  return async function redriveLetter(
    tenant: string,
    id: string,
    { patch, newKey }: RedriveRequest,
  ): Promise<{ kind: string }> {
    const runId = (await findDeadLetter(db, tenant, id))?.runId;
    if (!runId) return redrive(tenant, id, { patch, newKey });
    const members = isMembers(patch) ? patch : {};
    // A patch for jobs does not fit a run.
    if (Object.keys(members).some((name) => !PATCHABLE.includes(name))) return { kind: 'invalid' };
    return redriveRun(tenant, runId, { fromStep: null, patch: members, version: null, newKey });
  };
}
