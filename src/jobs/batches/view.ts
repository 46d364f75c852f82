// How a batch looks in answers.
import type { BatchRow, NewBatch } from '../../db/batches.ts';
import { temporalLink, type ViewOptions } from '../view.ts';

export function batchView(batch: BatchRow, options: ViewOptions) {
  const { id, name, status, counts, concurrency, labels, createdAt, finishedAt } = batch;
  const { total, queued, running, retrying, succeeded, failed, canceled } = counts;
  return {
    id,
    name,
    status,
    counts: { total, queued, running, retrying, succeeded, failed, canceled },
    concurrency,
    labels,
    createdAt: createdAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
    links: { self: `/v1/batches/${id}`, jobs: `/v1/jobs?batchId=${id}`, temporal: temporalLink(id, options) },
  };
}

/** The view of a batch as it is at the moment of acceptance. */
export function newBatchView(batch: NewBatch, options: ViewOptions) {
  const { total } = batch;
  const counts = { total, queued: total, running: 0, retrying: 0, succeeded: 0, failed: 0, canceled: 0 };
  return batchView({ ...batch, status: 'running', counts, finishedAt: null }, options);
}
