// The writes of the single path, gathered while one is under way: acceptance, the opening of an attempt, its end.
import { openAttempt } from './attempts.ts';
import { gather } from './gather.ts';
import { type Insertion, insertJob, insertJobs } from './insert-many.ts';
import { openAttempts, type Opening } from './open-many.ts';
import type { Database } from './pool.ts';
import { type AttemptOutcome, closeAttempt, type Settled, type Verdict } from './settle.ts';
import { closeAttempts } from './settle-many.ts';

const MAX_ROWS = 100;
/** A job that is large is written alone: together they would make a statement nobody wants to wait for. */
const MAX_GATHERED_CHARS = 16_384;

export type GroupWrites = ReturnType<typeof createGroupWrites>;

export function createGroupWrites(db: Database) {
  const insertOne = (insertion: Insertion) => db.asTenant(insertion.job.tenant, () => insertJob(db, insertion));
  const insert = gather<Insertion, boolean>({
    one: insertOne,
    // Of several tenants: it is the service that writes them, and each row says whose it is.
    many: (insertions) => insertJobs(db, insertions),
    maxItems: MAX_ROWS,
  });
  const open = gather({
    one: (opening: Opening) => openAttempt(db, opening),
    many: (openings) => openAttempts(db, openings),
    maxItems: MAX_ROWS,
  });
  const close = gather<Closing, Settled | null>({
    one: ({ attemptId: id, jobId, outcome, verdict }) => closeAttempt(db, { id, jobId }, outcome, verdict),
    many: async (closings) => {
      const settled = new Map((await closeAttempts(db, closings)).map((row) => [row.id, row]));
      return closings.map(({ jobId }) => settled.get(jobId) ?? null);
    },
    maxItems: MAX_ROWS,
  });

  return {
    /** `size`: about how many characters the job has. */
    insertJob: (insertion: Insertion, size: number): Promise<boolean> =>
      size > MAX_GATHERED_CHARS ? insertOne(insertion) : insert(insertion),
    openAttempt: open,
    /** Another attempt to come is rare, and has rules of its own. */
    closeAttempt: (closing: Closing): Promise<Settled | null> =>
      closing.verdict.status === 'retrying'
        ? closeAttempt(db, { id: closing.attemptId, jobId: closing.jobId }, closing.outcome, closing.verdict)
        : close(closing),
  };
}

export interface Closing {
  attemptId: string;
  jobId: string;
  outcome: AttemptOutcome;
  verdict: Verdict;
}
