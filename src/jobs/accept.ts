// The only way in: a job becomes a committed row, once per idempotency key, before anyone is told yes.
import { currentTime } from '../clock.ts';
import { parseDurationMs } from '../contract/duration.ts';
import { isFinal, type JobSpec } from '../contract/job.ts';
import type { AuditRow } from '../db/audit.ts';
import { insertDependencies, lockParents, type Parent } from '../db/dependencies.ts';
import type { GroupWrites } from '../db/group-writes.ts';
import { findKey } from '../db/idempotency-keys.ts';
import { insertJob } from '../db/insert-many.ts';
import { findJob, type JobRow, type NewJob } from '../db/jobs.ts';
import { type Database, type Queryable, StoreUnavailableError } from '../db/pool.ts';
import { reach } from '../failpoint.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { isCarried } from './carried.ts';
import { newId } from './ids.ts';
import type { Carriers } from './lanes/carriers.ts';
import type { Sealer } from './secrets/sealer.ts';
import type { Starter } from './start.ts';
import { traceParentOf } from './trace-parent.ts';

/** A lost answer to COMMIT looks like a failure: the statement may safely run again, its id is already chosen. */
const STORE_TRIES = 3;
/** A store that took this long to fail is away: the caller hears of it instead of waiting on. */
const STORE_PATIENCE_MS = 500;
/** When the relay looks at a job whose workflow was not started by whoever accepted it. */
const RELAY_AFTER_MS = 3_000;

export interface Submission {
  tenant: string;
  spec: JobSpec;
  /** Given where many jobs share it. */
  host?: string;
  /** Chosen by us, except for runs that Temporal's schedules or other services named. */
  id?: string;
  scheduleId?: string | null;
  batchId?: string | null;
  redriveOf?: string | null;
  outboundKey?: string | null;
  traceParent?: string | null;
  now?: Date;
  /** Who asked for it: kept with the job that is created, in one statement; of a replay the log hears from its route. */
  audit?: AuditDraft | null;
}

/** All that is known before there is an id. */
export type AuditDraft = Omit<AuditRow, 'targetId'>;

export interface IdempotencyKey {
  scope: string;
  key: string;
  fingerprint: string;
}

export type Acceptance =
  | { kind: 'created'; job: NewJob; answer: string }
  | { kind: 'replayed'; jobId: string; answer: string }
  | { kind: 'keyReused' }
  | { kind: 'unknownParents'; ids: string[] };

export interface AcceptDeps {
  db: Database;
  writes: GroupWrites;
  starter: Starter;
  carriers: Carriers;
  metrics: Metrics;
  sealer: Sealer;
  /** The first answer, kept with the key so that a replay repeats it byte for byte. */
  renderAnswer: (job: NewJob) => string;
}

export type AcceptJob = ReturnType<typeof createAccept>;

export function createAccept({ db, writes, starter, carriers, metrics, sealer, renderAnswer }: AcceptDeps) {
  return async function accept(submission: Submission, key: IdempotencyKey | null = null): Promise<Acceptance> {
    const job = newJob({ ...submission, spec: sealer.job(submission.tenant, submission.spec) });
    reach('accept.begin');
    const ride = isRider(job) ? carriers.board(job) : null;
    const row = { ...job, carrier: ride?.carrier ?? null };
    const audit = submission.audit ? { ...submission.audit, targetId: job.id } : null;
    let started: Promise<void> | undefined;
    let isBoarded = false;
    try {
      const written = await insertDurably({ db, writes, audit }, row, key, renderAnswer);
      if (written.kind === 'created') {
        reach('accept.committed');
        metrics.accepted.inc({
          tenant: metrics.tenantLabel(submission.tenant),
          source: submission.redriveOf ? 'redrive' : submission.scheduleId ? 'schedule' : 'submit',
        });
        if (isStartable(written.job) && written.job.carrier === null) started = starter.begin(written.job);
        isBoarded = true;
      } else if (written.kind !== 'unknownParents') {
        metrics.duplicates.inc({ kind: written.kind });
      }
      return written;
    } finally {
      // Whatever happened: the others in the carrier wait for it.
      ride?.settle(isBoarded, started);
    }
  };
}

type Store = Pick<AcceptDeps, 'db' | 'writes'> & { audit: AuditRow | null };

async function insertDurably(
  store: Store,
  job: NewJob,
  key: IdempotencyKey | null,
  renderAnswer: (job: NewJob) => string,
): Promise<Acceptance> {
  const giveUpAt = performance.now() + STORE_PATIENCE_MS;
  for (let attempt = 1; ; attempt++) {
    try {
      return await insertOnce(store, job, key, renderAnswer);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || attempt === STORE_TRIES) throw error;
      if (performance.now() > giveUpAt) throw error;
    }
  }
}

async function insertOnce(
  { db, writes, audit }: Store,
  job: NewJob,
  key: IdempotencyKey | null,
  renderAnswer: (job: NewJob) => string,
): Promise<Acceptance> {
  const accepted = (on: Queryable, insert: GroupWrites['insertJob']) =>
    insertAccepted(on, job, key, renderAnswer, (insertion, size) => insert({ ...insertion, audit }, size));
  if (job.spec.dependsOn.length === 0) return accepted(db, writes.insertJob);
  return db.transaction((tx) => accepted(tx, (insertion) => insertJob(tx, insertion)));
}

/** One statement, or, with dependencies, several that belong into one transaction. */
export async function insertAccepted(
  db: Queryable,
  job: NewJob,
  key: IdempotencyKey | null,
  renderAnswer: (job: NewJob) => string,
  insert: GroupWrites['insertJob'] = (insertion) => insertJob(db, insertion),
): Promise<Acceptance> {
  if (job.spec.dependsOn.length > 0) return insertDependant(db, job, key, renderAnswer, insert);
  const answer = renderAnswer(job);
  const inserted = await insert({ job, key: key && { ...key, answer } }, answer.length);
  return inserted ? { kind: 'created', job, answer } : alreadyThere(db, job, key, answer);
}

async function insertDependant(
  tx: Queryable,
  job: NewJob,
  key: IdempotencyKey | null,
  renderAnswer: (job: NewJob) => string,
  insert: GroupWrites['insertJob'],
): Promise<Acceptance> {
  const { dependsOn } = job.spec;
  const known = key && (await findKey(tx, job.tenant, key));
  if (key && known) return replay(key, known);
  const parents = await lockParents(tx, job.tenant, dependsOn);
  const found = new Set(parents.map(({ id }) => id));
  const missing = dependsOn.filter((id) => !found.has(id));
  if (missing.length > 0) return { kind: 'unknownParents', ids: missing };
  const blocked = withParents(job, parents);
  const answer = renderAnswer(blocked);
  const inserted = await insert({ job: blocked, key: key && { ...key, answer } }, answer.length);
  if (!inserted) return alreadyThere(tx, blocked, key, answer);
  await insertDependencies(tx, job.id, dependsOn);
  reach('accept.uncommitted');
  return { kind: 'created', job: blocked, answer };
}

/** Runs of schedules and redrives have reasons for a workflow of their own. */
function isRider({ spec, scheduleId, redriveOf }: NewJob): boolean {
  return spec.lane === 'shared' && isCarried(spec) && scheduleId === null && redriveOf === null;
}

/** A blocked job is started by whoever releases it. */
export function isStartable({ status }: NewJob): boolean {
  return status === 'queued' || status === 'scheduled';
}

/** Parents that are already final count at once; one that failed leaves the decision to the follow-up, like any other. */
function withParents(job: NewJob, parents: Parent[]): NewJob {
  const { onDependencyFailure } = job.spec;
  const ready = parents.every(({ status }) =>
    onDependencyFailure === 'run' ? isFinal(status) : status === 'succeeded',
  );
  return ready ? job : { ...job, status: 'blocked', checkAt: null };
}

/** The key or the id was taken: by an earlier request, or by our own whose answer was lost. */
async function alreadyThere(
  db: Queryable,
  job: NewJob,
  key: IdempotencyKey | null,
  answer: string,
): Promise<Acceptance> {
  if (key) {
    const known = await findKey(db, job.tenant, key);
    if (!known) throw new StoreUnavailableError('the idempotency key was removed while it was read');
    if (known.resourceId === job.id) return { kind: 'created', job, answer };
    return replay(key, known);
  }
  const row = await findJob(db, job.tenant, job.id);
  if (!row) throw new Error(`job ${job.id} belongs to another tenant`);
  return isOurs(row, job) ? { kind: 'created', job, answer } : { kind: 'replayed', jobId: job.id, answer };
}

function replay(key: IdempotencyKey, known: { fingerprint: string; resourceId: string; answer: string }): Acceptance {
  if (known.fingerprint !== key.fingerprint) return { kind: 'keyReused' };
  return { kind: 'replayed', jobId: known.resourceId, answer: known.answer };
}

function isOurs(row: JobRow, job: NewJob): boolean {
  return row.createdAt.getTime() === job.createdAt.getTime();
}

/** The row as it will be stored, with everything that acceptance decides. */
export function newJob({ tenant, spec, now = currentTime(), ...given }: Submission): NewJob {
  const id = given.id ?? newId('job');
  const runAt = spec.runAt ? new Date(spec.runAt) : spec.delay ? later(now, spec.delay) : null;
  const ahead = runAt !== null && runAt > now;
  return {
    id,
    tenant,
    status: ahead ? 'scheduled' : 'queued',
    spec,
    host: given.host ?? hostnameOf(spec.http.url),
    runAt,
    deadlineAt: spec.deadline ? later(runAt ?? now, spec.deadline) : null,
    scheduleId: given.scheduleId ?? null,
    batchId: given.batchId ?? null,
    redriveOf: given.redriveOf ?? null,
    outboundKey: given.outboundKey ?? id,
    traceParent: traceParentOf(given.traceParent),
    createdAt: now,
    checkAt: new Date(now.getTime() + RELAY_AFTER_MS),
    carrier: null,
  };
}

export function hostnameOf(url: string): string {
  return new URL(url).hostname;
}

function later(from: Date, duration: string): Date {
  return new Date(from.getTime() + (parseDurationMs(duration) ?? 0));
}
