// The dead letters: written by settle.ts with the final state; read, redriven once, and deleted here.
import type { StoredError } from '../contract/problem.ts';
import type { Queryable } from './pool.ts';

export interface DeadLetterRow {
  id: string;
  kind: 'job' | 'run';
  jobId: string | null;
  runId: string | null;
  stepId: string | null;
  name: string | null;
  reason: string;
  error: StoredError;
  attempts: number;
  fingerprint: string;
  target: string;
  createdAt: Date;
  redrivenAs: string | null;
}

export const DEAD_LETTER_COLUMNS = `id, kind, job_id as "jobId", run_id as "runId", step_id as "stepId", name, reason, error,
  attempts, fingerprint, target, created_at as "createdAt", redriven_as as "redrivenAs"`;

export const DEAD_LETTER_FILTERS = {
  reason: 'reason = any(?)',
  name: 'name = any(?)',
  host: 'host = any(?)',
  fingerprint: 'fingerprint = any(?)',
  kind: 'kind = any(?)',
  redriven: '(redriven_as is not null)::text = any(?)',
} as const;

export async function findDeadLetter(db: Queryable, tenant: string, id: string): Promise<DeadLetterRow | null> {
  const rows = await db.query<DeadLetterRow>(
    `select ${DEAD_LETTER_COLUMNS} from dead_letters where tenant = $1 and id = $2`,
    [tenant, id],
  );
  return rows[0] ?? null;
}

export async function deleteDeadLetter(db: Queryable, tenant: string, id: string): Promise<boolean> {
  const rows = await db.query('delete from dead_letters where tenant = $1 and id = $2 returning id', [tenant, id]);
  return rows.length === 1;
}

/** Holds the row to the end of the transaction, so that two redrives at once make one job. */
export async function lockDeadLetter(tx: Queryable, tenant: string, id: string): Promise<DeadLetterRow | null> {
  const rows = await tx.query<DeadLetterRow>(
    `select ${DEAD_LETTER_COLUMNS} from dead_letters where tenant = $1 and id = $2 for update`,
    [tenant, id],
  );
  return rows[0] ?? null;
}

export async function markRedriven(tx: Queryable, id: string, redrivenAs: string): Promise<void> {
  await tx.query('update dead_letters set redriven_as = $2 where id = $1', [id, redrivenAs]);
}
