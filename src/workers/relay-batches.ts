// The relay for batches: starts those that were not, notes the end of those that have one, settles what a lost workflow left.
import { type FinalJobStatus, OPEN_JOB_STATUSES } from '../contract/job.ts';
import { type DueBatch, takeDueBatches } from '../db/batches.ts';
import { carriedOfBatch } from '../db/carried.ts';
import type { JobRow } from '../db/jobs.ts';
import { notify } from '../db/notify.ts';
import { finishJob } from '../db/settle.ts';
import { CANCEL_CHANNEL } from '../jobs/cancel.ts';
import { draftDeadLetter } from '../jobs/verdict.ts';
import { stateOf, terminated } from './compare.ts';
import type { RelayDeps } from './relay.ts';

const BATCHES = 20;
const ITEMS = 500;

export function createRelayBatches(deps: RelayDeps): () => Promise<boolean> {
  const { db, client, batchStarter, cancelBatch, followUp, metrics, log } = deps;

  const relay = async (batch: DueBatch): Promise<void> => {
    if (!batch.hasCarried) return followUp.batchMayBeDone(batch.id);
    if (!batch.seenInTemporal) {
      await batchStarter.start(batch);
      return metrics.relayStarts.inc();
    }
    const state = await stateOf(client, batch.id);
    if (state === 'running') return;
    metrics.relayRepairs.inc({ reason: state });
    log.warn({ batchId: batch.id, state }, 'relay: the workflow ended without its batch');
    if (state === 'canceled') return void (await cancelBatch(batch.tenant, batch.id));
    await failCarried(batch.id, state);
    // Calls that nobody waits for any more.
    await notify(db, CANCEL_CHANNEL, batch.id);
  };

  const failCarried = async (batchId: string, state: 'absent' | 'closed'): Promise<void> => {
    for (;;) {
      const items = await carriedOfBatch(db, batchId, ITEMS);
      if (items.length === 0) break;
      for (const item of items) await fail(item, state);
    }
    await followUp.batchMayBeDone(batchId);
  };

  const fail = async (item: JobRow, state: 'absent' | 'closed'): Promise<void> => {
    const status: FinalJobStatus = 'failed';
    const error = terminated(state);
    const deadLetter = draftDeadLetter(item, 'terminatedExternally', error);
    const from = { id: item.id, tenant: item.tenant, from: OPEN_JOB_STATUSES };
    const settled = await finishJob(db, from, { status, error, deadLetter, checkAt: null });
    if (settled) await followUp.finished(item.id, status, { ...settled, batchId: null }, 'terminatedExternally');
  };

  return async () => {
    const due = await takeDueBatches(db, BATCHES);
    for (const batch of due) {
      await relay(batch).catch((error: unknown) => {
        log.warn({ batchId: batch.id, err: error }, 'relay: batch put off');
      });
    }
    return due.length === BATCHES;
  };
}
