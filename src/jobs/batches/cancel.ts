// Cancels what is not final in a batch: the rows in one statement, then the calls under way.
import { cancelItems } from '../../db/batches.ts';
import { notify } from '../../db/notify.ts';
import type { Database } from '../../db/pool.ts';
import { CANCEL_CHANNEL, canceledError } from '../cancel.ts';
import type { FollowUp } from '../follow-up.ts';

export type CancelBatch = ReturnType<typeof createCancelBatch>;

export function createCancelBatch({ db, followUp }: { db: Database; followUp: FollowUp }) {
  /** False when the batch is final, or not of this tenant. */
  return async function cancelBatch(tenant: string, id: string): Promise<boolean> {
    const canceled = await db.transaction((tx) => cancelItems(tx, tenant, id, canceledError()));
    // The lanes listen under the batch's id, calls of their own workflows under the job's; the relay ends the workflows.
    const topics = [id, ...canceled.filter(({ callingAlone }) => callingAlone).map((item) => item.id)];
    if (canceled.length > 0) await Promise.all(topics.map((topic) => notify(db, CANCEL_CHANNEL, topic)));
    for (const item of canceled) await followUp.finished(item.id, 'canceled', { ...item, batchId: null }, null);
    await followUp.batchMayBeDone(id);
    return canceled.length > 0;
  };
}
