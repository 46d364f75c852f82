// A dead letter becomes a new job, once: a copy with a patch, bound to the old one in both directions.
import { currentTime } from '../clock.ts';
import type { FieldFault } from '../contract/problem.ts';
import { lockDeadLetter, markRedriven } from '../db/dead-letters.ts';
import { findJob, type NewJob } from '../db/jobs.ts';
import type { Database, Queryable } from '../db/pool.ts';
import { reach } from '../failpoint.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type IdempotencyKey, insertAccepted, isStartable, newJob } from './accept.ts';
import type { EgressPolicy } from './http/egress.ts';
import { replayOf } from './once.ts';
import { mapJob } from './secrets/places.ts';
import { referencesOfJob, unknownSecrets } from './secrets/references.ts';
import { type Sealer, setSealedAside } from './secrets/sealer.ts';
import { mergePatch } from './spec/merge.ts';
import { parseJobSpec, type SpecFaultCode } from './spec/parse-job-spec.ts';
import { specToInput } from './spec/spec-to-input.ts';
import type { Starter } from './start.ts';

export interface RedriveRequest {
  patch: unknown;
  newKey: boolean;
}

export type Redriven =
  | { kind: 'created'; job: NewJob; answer: string }
  | { kind: 'replayed'; jobId: string; answer: string }
  | { kind: 'keyReused' | 'notFound' | 'alreadyRedriven' | 'jobGone' }
  | { kind: 'unknownParents'; ids: string[]; dependsOn: string[] }
  | { kind: 'invalid'; code: SpecFaultCode; faults: FieldFault[] };

export type Redrive = ReturnType<typeof createRedrive>;

export interface RedriveDeps {
  db: Database;
  starter: Starter;
  metrics: Metrics;
  sealer: Sealer;
  getPolicy: () => EgressPolicy;
  renderAnswer: (job: NewJob) => string;
}

export function createRedrive({ db, starter, metrics, sealer, getPolicy, renderAnswer }: RedriveDeps) {
  return async function redrive(
    tenant: string,
    deadLetterId: string,
    request: RedriveRequest,
    key: IdempotencyKey | null = null,
  ): Promise<Redriven> {
    const redriven = await db.transaction((tx) =>
      redriveOnce(tx, tenant, deadLetterId, request, key, { sealer, getPolicy, renderAnswer }),
    );
    if (redriven.kind === 'created') {
      reach('redrive.committed');
      metrics.accepted.inc({ tenant: metrics.tenantLabel(tenant), source: 'redrive' });
      if (isStartable(redriven.job)) starter.startSoon(redriven.job);
    }
    return redriven;
  };
}

async function redriveOnce(
  tx: Queryable,
  tenant: string,
  deadLetterId: string,
  { patch, newKey }: RedriveRequest,
  key: IdempotencyKey | null,
  { sealer, getPolicy, renderAnswer }: Pick<RedriveDeps, 'sealer' | 'getPolicy' | 'renderAnswer'>,
): Promise<Redriven> {
  const letter = await lockDeadLetter(tx, tenant, deadLetterId);
  // Under the lock: a concurrent request with the same key has written its answer by now.
  const known = await replayOf(tx, tenant, key);
  if (known) return known.kind === 'replayed' ? { ...known, jobId: known.id } : known;
  if (!letter || letter.jobId === null) return { kind: 'notFound' };
  if (letter.redrivenAs !== null) return { kind: 'alreadyRedriven' };
  const old = await findJob(tx, tenant, letter.jobId);
  if (!old) return { kind: 'jobGone' };

  const { dependsOn: _done, ...input } = specToInput(old.spec);
  const aside = setSealedAside(input, mapJob);
  const parsed = parseJobSpec(mergePatch(aside.value, patch), {
    policy: getPolicy(),
    now: currentTime(),
    basePointer: '/patch',
  });
  if (!parsed.ok) return { kind: 'invalid', code: parsed.code, faults: parsed.faults };
  const unknown = await unknownSecrets(tx, tenant, referencesOfJob(parsed.spec, '/patch'));
  if (unknown.length > 0) return { kind: 'invalid', code: 'validationFailed', faults: unknown };
  const job = newJob({
    tenant,
    spec: sealer.job(tenant, aside.restore(parsed.spec)),
    redriveOf: old.id,
    outboundKey: newKey ? null : old.outboundKey,
    traceParent: old.traceParent,
  });
  const inserted = await insertAccepted(tx, job, key, renderAnswer);
  if (inserted.kind === 'unknownParents') return { ...inserted, dependsOn: parsed.spec.dependsOn };
  reach('redrive.uncommitted');
  if (inserted.kind === 'created') await markRedriven(tx, letter.id, job.id);
  return inserted;
}
