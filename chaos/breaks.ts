// The product broken on purpose, one guarantee at a time, and where the suite has to notice it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Break {
  name: string;
  /** Each text must occur exactly once: a break that no longer applies is an error, not a pass. */
  edits: readonly { file: string; from: string; to: string }[];
  fault: string;
  points?: readonly string[];
  jobs?: number;
  /** Long enough for the product as it is. */
  stuckAfterMs?: number;
  /** What has to be found by it: one of these. */
  finds: readonly string[];
}

const OPEN = "status in ('scheduled', 'queued', 'retrying')";

export const BREAKS: readonly Break[] = [
  {
    name: 'a job that runs may be taken again',
    edits: [
      { file: 'src/db/attempts.ts', from: OPEN, to: 'true' },
      { file: 'src/db/open-many.ts', from: OPEN, to: 'true' },
    ],
    fault: 'C1',
    points: ['worker:attempt.sent@once:exit'],
    finds: ['tooManySends'],
  },
  {
    name: 'an item of a batch that runs may be taken again',
    edits: [
      {
        file: 'src/db/carried.ts',
        from: "carrier = $1 and status = 'queued' and finished_at is null order",
        to: 'carrier = $1 and finished_at is null order',
      },
      {
        file: 'src/db/carried.ts',
        from: "and jobs.carrier = $1 and jobs.status = 'queued' returning",
        to: 'returning',
      },
    ],
    fault: 'C1',
    points: ['worker:lane.called@batch:exit'],
    stuckAfterMs: 20_000,
    finds: ['tooManySends', 'stuck'],
  },
  {
    name: 'an atMostOnce call that may have been sent is sent again',
    edits: [
      {
        file: 'src/jobs/verdict.ts',
        from: "outcome.kind === 'unknown' && job.spec.delivery === 'atMostOnce'",
        to: 'false',
      },
    ],
    fault: 'C1',
    points: ['worker:attempt.sent@once:exit'],
    finds: ['tooManySends'],
  },
  {
    name: 'a result is written without its token',
    edits: [
      { file: 'src/db/settle.ts', from: 'where id = $14 and attempt_id = $11', to: 'where id = $14' },
      {
        file: 'src/db/settle-many.ts',
        from: 'jobs.id = given.job_id and jobs.attempt_id = given.attempt_id',
        to: 'jobs.id = given.job_id',
      },
    ],
    fault: 'C1',
    points: ['worker:attempt.answered@once:stop'],
    finds: ['dlqDouble', 'wrongTerminal'],
  },
  {
    name: 'a key is not looked up',
    edits: [
      {
        file: 'src/db/insert-many.ts',
        from: 'from given where key is null or id in (select resource_id from new_key)',
        to: 'from given',
      },
    ],
    fault: 'F1',
    jobs: 100,
    finds: ['dupJobs'],
  },
  {
    name: 'a retry has another key',
    edits: [
      {
        file: 'src/activities/outgoing.ts',
        from: "'idempotency-key': job.outboundKey",
        to: "'idempotency-key': `${job.outboundKey}-${job.attempts}`",
      },
    ],
    fault: 'C1',
    points: ['worker:attempt.recorded@retried:exit'],
    finds: ['keyInstability'],
  },
  {
    name: 'no dead letter is written',
    edits: [
      {
        file: 'src/db/settle.ts',
        from: 'where ${id} is not null and run_id is null',
        to: 'where ${id} is not null and run_id is not null',
      },
    ],
    fault: 'C1',
    points: ['worker:attempt.recorded@rejected:exit'],
    finds: ['dlqMissing'],
  },
  {
    name: 'the relay starts no job',
    edits: [
      { file: 'src/workers/compare.ts', from: 'const exists = await starter.start(job);', to: 'const exists = true;' },
    ],
    fault: 'C1',
    points: ['api:accept.committed@once:exit'],
    stuckAfterMs: 30_000,
    finds: ['stuck', 'lost'],
  },
  {
    name: 'the relay starts no carrier',
    edits: [
      {
        file: 'src/workers/relay-riders.ts',
        from: 'if (await carrierStarter.start(workflowId, first)) metrics.relayStarts.inc();',
        to: '',
      },
    ],
    fault: 'C1',
    points: ['api:carrier.begin@shared:exit'],
    stuckAfterMs: 30_000,
    finds: ['stuck', 'lost'],
  },
  {
    name: 'nobody compares jobs with their workflows',
    edits: [
      {
        file: 'src/workers/compare.ts',
        from: 'else await settle(job, await stateOf(client, job.id));',
        to: 'else await setCheck(db, [job.id], nextLook(), true);',
      },
    ],
    fault: 'F15',
    jobs: 12,
    stuckAfterMs: 90_000,
    finds: ['stuck', 'lost'],
  },
  {
    name: 'a webhook is given up by who takes it',
    edits: [
      {
        file: 'src/db/notifications.ts',
        from: "set due_at = now() + interval '60 seconds'",
        to: 'set due_at = null',
      },
    ],
    fault: 'C1',
    points: ['worker:notify.taken@notified:exit'],
    finds: ['own'],
  },
  {
    name: 'a call is tried once more than it may be',
    edits: [
      {
        file: 'src/jobs/verdict.ts',
        from: 'if (job.attempts >= job.spec.retry.maxAttempts)',
        to: 'if (job.attempts > job.spec.retry.maxAttempts)',
      },
    ],
    fault: 'F32',
    finds: ['own'],
  },
  {
    name: 'a run does not ask whether the one before has ended',
    edits: [
      {
        file: 'src/jobs/schedules/overlap.ts',
        from: "if (!newest || overlap === 'allowAll')",
        to: 'if (!newest || newest.id)',
      },
    ],
    fault: 'F25',
    finds: ['own'],
  },
  {
    name: 'nobody starts what Temporal has not fired',
    edits: [
      {
        file: 'src/db/ticks.ts',
        from: 'then backfill_overlap is not null or nominal_time < $3',
        to: 'then backfill_overlap is not null and nominal_time < $3',
      },
    ],
    fault: 'F26',
    finds: ['own', 'lost'],
  },
  {
    name: 'what is told to run twice in one second runs once',
    edits: [
      {
        file: 'src/jobs/schedules/schedules.ts',
        from: "-t-${uuidv7().replaceAll('-', '')}`",
        to: '-t-${Math.floor(Date.now() / 1_000)}`',
      },
    ],
    fault: 'F27',
    finds: ['own', 'dupJobs'],
  },
];

/** By path, what these files are to be. */
export function brokenTexts(root: string, { name, edits }: Break): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { file, from, to } of edits) {
    const path = join(root, file);
    const text = texts.get(path) ?? readFileSync(path, 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${file}: the break "${name}" does not apply any more`);
    texts.set(
      path,
      text.replace(from, () => to),
    );
  }
  return texts;
}
