// What jobs that wait for their time hold of memory: they belong into PostgreSQL and Temporal, not into our heap.
import { setTimeout as sleep } from 'node:timers/promises';

import type { Stage } from './stage.ts';
import { startPerdure } from './systems/perdure.ts';
import { watchUsage } from './usage.ts';

const PER_BATCH = 2_000;
/** As docs/production.md has it for a small container: by default Node takes what there is. */
const IN_512_MIB = {
  nodeOptions: ['--max-old-space-size=128'],
  environment: { PERDURE_WORKFLOW_CACHE: '200' },
};
/** Workflows are started at the pace Temporal has; in the end every job must be known to it. */
const GIVE_UP_AFTER_MS = 30 * 60_000;

export async function measureScheduled(stage: Stage, count: number) {
  const perdure = await startPerdure(stage, IN_512_MIB);
  const stop = watchUsage(perdure.groups);
  try {
    for (let at = 0; at < count; at += PER_BATCH) {
      const items = Array.from({ length: Math.min(PER_BATCH, count - at) }, (_item, n) => ({
        http: { url: `${stage.receiverUrl}/${at + n}` },
      }));
      await perdure.post('/v1/batches', { defaults: { delay: '30d' }, items });
    }
    const giveUpAt = Date.now() + GIVE_UP_AFTER_MS;
    let started = 0;
    while (started < count && Date.now() < giveUpAt) {
      await sleep(1_000);
      const { rows } = await perdure.db.query<{ count: number }>(
        'select count(*)::int as count from jobs where seen_in_temporal',
      );
      started = rows[0]?.count ?? 0;
    }
    return { scheduled: count, started, usage: stop() };
  } finally {
    await perdure.stop();
  }
}
