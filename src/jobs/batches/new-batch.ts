// What acceptance decides about a batch: its row, its items' rows, and which of them its own workflow carries.
import type { NotifyRule } from '../../contract/job.ts';
import { type BatchInput, carrierOf } from '../../contract/temporal.ts';
import type { NewBatch, NewItem } from '../../db/batches.ts';
import { hostnameOf, newJob } from '../accept.ts';
import { isCarried } from '../carried.ts';
import { oncePerAuthority } from '../http/authority.ts';
import { newId } from '../ids.ts';
import type { Sealer } from '../secrets/sealer.ts';
import { type ModeledSpec, oncePerModel, specLike } from '../spec/alike.ts';

const RELAY_AFTER_MS = 3_000;
/** Two lanes, so that two workers can share a batch; a small one is not worth the second activity. */
const TWO_LANES_FROM = 200;

export interface BatchSubmission {
  name: string | null;
  concurrency: number;
  notify: NotifyRule[];
  labels: Record<string, string>;
  items: ({ key: string | null } & ModeledSpec)[];
}

/** Rows from one place to another, made when they are first asked for: the first are written while the last are made. */
export type ItemRows = (from: number, to: number) => NewItem[];

export interface BatchOrigin {
  tenant: string;
  traceParent: string | null;
  now: Date;
  sealer: Sealer;
}

export function newBatch(
  { items, notify, ...given }: BatchSubmission,
  { tenant, traceParent, now, sealer }: BatchOrigin,
): { batch: NewBatch; rows: ItemRows } {
  const batch = {
    ...{ ...given, id: newId('bat'), tenant, total: items.length, createdAt: now },
    notify: sealer.rules(tenant, notify),
    checkAt: new Date(now.getTime() + RELAY_AFTER_MS),
  };
  const lanes = lanesOf(batch).length;
  const hostOf = oncePerAuthority(hostnameOf);
  const sealed = oncePerModel((model) => sealer.job(tenant, model));
  const rowOf = (submitted: BatchSubmission['items'][number], index: number): NewItem => {
    const model = sealed(submitted.model);
    const spec = specLike(model, submitted.spec.http);
    const job = newJob({ tenant, spec, host: hostOf(spec.http.url), batchId: batch.id, traceParent, now });
    const carrier = isCarried(spec) ? carrierOf(batch.id, index % lanes) : null;
    const checkAt = carrier === null ? job.checkAt : null;
    // Many objects spread over fields that they then replace are far slower than many that are given more.
    return Object.assign(job, { model, batchKey: submitted.key, carrier, checkAt });
  };
  const made: NewItem[] = [];
  const rows: ItemRows = (from, to) => {
    for (const submitted of items.slice(made.length, to)) made.push(rowOf(submitted, made.length));
    return made.slice(from, to);
  };
  return { batch, rows };
}

export function batchInput(batch: Pick<NewBatch, 'id' | 'tenant' | 'concurrency' | 'total'>): BatchInput {
  return { batchId: batch.id, tenant: batch.tenant, lanes: lanesOf(batch) };
}

/** The calls each lane may have under way; together the batch's concurrency. */
function lanesOf({ concurrency, total }: Pick<NewBatch, 'concurrency' | 'total'>): number[] {
  if (total < TWO_LANES_FROM || concurrency < 2) return [concurrency];
  return [Math.ceil(concurrency / 2), Math.floor(concurrency / 2)];
}
